import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseIni } from './ini.ts'

const read = (text: string, wanted?: (section: string) => boolean): (readonly [string, string, string, number])[] =>
  parseIni(text, wanted).entries.map(({ section, name, value, line }) => [section, name, value, line] as const)

describe("mkosi's config syntax", () => {
  test('has sections, settings and values that go on over indented lines', () => {
    const text = '# about\n[Content]\nPackages=\n        a\n\n    # not b\n\tb # nor this\nName = v = w\n\n[Output]\nFormat=tar\n'
    expect(read(text)).toEqual([
      ['Content', 'Packages', '\na\nb', 3],
      ['Content', 'Name', 'v = w', 8],
      ['Output', 'Format', 'tar', 11],
    ])
  })

  test('cuts values at a number sign, quoted or not', () => {
    expect(read('[Build]\nEnvironment="A=#1"\n')).toEqual([['Build', 'Environment', '"A=', 2]])
  })

  test('does not care whether the whole file is indented', () => {
    expect(read('  [Output]\n  Format=tar\n    oci\n')).toEqual([['Output', 'Format', 'tar\noci', 2]])
  })

  test('goes on with nothing in a section that is passed over, so that a section and its settings may be indented there', () => {
    const text = '[Foo]\nx=1\n  [Content]\n  PostOutputScripts=evil\n'
    expect(read(text, (section) => section === 'Content')).toEqual([['Content', 'PostOutputScripts', 'evil', 4]])
    expect(read(text)).toEqual([['Foo', 'x', '1\n[Content]\nPostOutputScripts=evil', 2]])
    expect(parseIni(text).problems).toContainEqual(expect.objectContaining({ kind: 'ambiguous', line: 3 }))
  })

  test('ends lines where Python does, and says that this is ambiguous', () => {
    for (const end of ['\r', '\v', '\f', '\x1c', '\x85', '\u2028']) {
      const ini = parseIni(`[Content]\nPackages=a # b${end}PostOutputScripts=x\n`)
      expect(ini.entries.map(({ name }) => name)).toEqual(['Packages', 'PostOutputScripts'])
      expect(ini.problems.map(({ kind }) => kind)).toEqual(['ambiguous'])
    }
  })

  test('keeps a byte order mark, which Python does not strip', () => {
    const ini = parseIni('\ufeff[Output]\nFormat=tar\n')
    expect(ini.sections).toEqual([])
    expect(ini.problems.map(({ kind, line }) => `${kind} ${line}`)).toEqual(['ambiguous 1', 'syntax 1', 'syntax 1', 'syntax 2'])
  })

  test('takes the line ends of other systems', () => {
    expect(parseIni('[Output]\r\nFormat=tar\r\n')).toEqual({
      entries: [{ section: 'Output', name: 'Format', value: 'tar', line: 2 }],
      sections: [{ name: 'Output', line: 1 }],
      problems: [],
    })
  })

  test('goes on after an error, so that nothing behind it is missed', () => {
    const ini = parseIni('x=1\n[\n[Output\nwords\n=v\nFormat=tar\n')
    expect(ini.entries).toContainEqual({ section: 'Output', name: 'Format', value: 'tar', line: 6 })
    expect([...new Set(ini.problems.map(({ line }) => line))]).toEqual([1, 2, 3, 4, 5])
  })

  test('reads anything without throwing, and finds every plain setting again', () => {
    const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9 ._/-]{0,12}[a-z]$/)
    fc.assert(
      fc.property(fc.array(fc.tuple(word, word)), fc.string({ unit: 'binary' }), (settings, noise) => {
        expect(() => parseIni(noise)).not.toThrow()
        const text = `[Output]\n${settings.map(([name, value]) => `${name}=${value}\n`).join('')}`
        expect(read(text).map(([, name, value]) => [name, value])).toEqual(settings)
      }),
    )
  })
})
