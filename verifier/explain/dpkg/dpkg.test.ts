import { describe, expect, it } from 'vitest'
import { viewBuffer } from '../byte-view.ts'
import { isDatabaseFile, readOwnership } from './ownership.ts'
import { packageDifferences } from './package-changes.ts'
import { readStatus } from './status.ts'
import { compareVersions } from './version.ts'

describe('compareVersions', () => {
  it('orders as dpkg does', () => {
    const rising = [
      '0~~',
      '0~~a',
      '0~',
      '0',
      '0a',
      '0+',
      '1.0~rc1-1',
      '1.0-1',
      '1.0-1+b1',
      '1.0-1+deb12u1',
      '1.0-1.1',
      '1.2',
      '1.10',
      '1.010-1',
      '2',
      '1:0.1',
      '2:0',
    ]
    for (const [index, version] of rising.entries()) {
      expect(compareVersions(version, version)).toBe(0)
      for (const later of rising.slice(index + 1)) {
        expect([version, later, Math.sign(compareVersions(version, later))]).toEqual([version, later, -1])
        expect(Math.sign(compareVersions(later, version))).toBe(1)
      }
    }
  })
})

describe('readStatus', () => {
  const stanza = (fields: string): string => `Package: x\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n${fields}\n`
  it.each([
    ['an installed package', stanza(''), ['x:amd64']],
    ['one that is half there', stanza('').replace('installed', 'half-configured'), ['x:amd64']],
    ['one of which only settings are left', stanza('').replace('ok installed', 'ok config-files'), []],
    ['a name that is none', stanza('').replace('Package: x', 'Package: \x1b[31m'), []],
    ['a stanza without version', 'Package: x\nArchitecture: all\n', []],
    ['nothing', '', []],
  ])('takes %s as what it is', (_, text, keys) => {
    expect([...readStatus(text).keys()]).toEqual(keys)
  })
})

describe('packageDifferences', () => {
  it('tells what came, went, rose and fell', () => {
    const side = (packages: Readonly<Record<string, string>>) =>
      new Map(Object.entries(packages).map(([name, version]) => [`${name}:all`, { name, architecture: 'all', version }]))
    expect(
      packageDifferences(side({ a: '1', b: '1', c: '1.9', d: '2' }), side({ b: '1', c: '1.10', d: '2~rc', e: '3' })).map(
        ({ name, kind }) => [name, kind],
      ),
    ).toEqual([
      ['a', 'removed'],
      ['c', 'upgraded'],
      ['d', 'downgraded'],
      ['e', 'added'],
    ])
  })
})

describe('readOwnership', () => {
  const index = (files: Readonly<Record<string, string>>, aliases: Readonly<Record<string, string>> = {}) => ({
    files: new Map(Object.entries(files).map(([path, text]) => [path, viewBuffer(Buffer.from(text, 'latin1'))])),
    aliases: new Map(Object.entries(aliases)),
  })
  const status = { 'var/lib/dpkg/status': '' }

  it('is null without a database', async () => {
    expect(await readOwnership({ index: index({}), paths: new Set(), maxSize: 1000 })).toBe(null)
  })

  it('finds owners of the asked-for paths only, and who shares a folder', async () => {
    const files = {
      ...status,
      'var/lib/dpkg/info/a.list': '/.\n/usr\n/usr/a\n/lib/x\n',
      'var/lib/dpkg/info/b:amd64.list': '/.\n/usr\n/usr/b\n/usr/caf\xe9\n',
    }
    const paths = new Set(['usr', 'usr/lib/x', 'usr/caf\xe9', 'usr/none'])
    const found = await readOwnership({ index: index(files, { lib: 'usr/lib' }), paths, maxSize: 1000 })
    expect([...(found?.owners ?? [])]).toEqual([
      ['usr', 'a'],
      ['usr/lib/x', 'a'],
      ['usr/caf\xe9', 'b'],
    ])
    expect([...(found?.shared ?? [])]).toEqual(['usr'])
  })

  it('follows a diversion for every package but the one that diverts', async () => {
    const files = {
      ...status,
      'var/lib/dpkg/diversions': '/bin/sh\n/bin/sh.distrib\ndash\n',
      'var/lib/dpkg/info/bash.list': '/bin/sh\n',
      'var/lib/dpkg/info/dash.list': '/bin/sh\n',
    }
    const paths = new Set(['bin/sh', 'bin/sh.distrib'])
    const found = await readOwnership({ index: index(files), paths, maxSize: 1000 })
    expect(Object.fromEntries(found?.owners ?? [])).toEqual({ 'bin/sh': 'dash', 'bin/sh.distrib': 'bash' })
  })

  it('says that it left something out', async () => {
    const files = { ...status, 'var/lib/dpkg/info/a.list': `/usr/a\n${'x'.repeat(100)}` }
    expect(await readOwnership({ index: index(files), paths: new Set(['usr/a']), maxSize: 50 })).toMatchObject({
      cut: true,
      owners: new Map(),
    })
  })

  it('asks for the files of the database and no other', () => {
    expect(['status', 'diversions', 'info/a.list', 'info/libc6:amd64.list'].every((name) => isDatabaseFile(`var/lib/dpkg/${name}`))).toBe(
      true,
    )
    expect(['status-old', 'info/a.md5sums', 'info/x/a.list', 'info/.list'].some((name) => isDatabaseFile(`var/lib/dpkg/${name}`))).toBe(
      false,
    )
  })
})
