import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Recipe, RecipeReading } from '../model/recipe.ts'
import { readRecipe } from './read-recipe.ts'
import { SETTINGS } from './settings/all.ts'
import { QUIET } from './testing/recipe-of.ts'
import { type TreeFile, treeOf } from './testing/tree-of.ts'

const factsOf = (files: Readonly<Record<string, TreeFile>>, profiles: string[] = []): Recipe =>
  readRecipe(treeOf(files), { profiles }).recipe

describe('a recipe', () => {
  test('says what it builds', () => {
    const files = {
      'mkosi.conf': `[Distribution]
Distribution=debian
Release=bookworm
Mirror=http://snapshot.invalid/archive/debian/20241201T000000Z
[Output]
Format=tar
Output=%i_%v
ImageId=app
[Content]
SourceDateEpoch=1701475200
Packages=curl=7.88.1-10+deb12u8
        nodejs
BuildScripts=scripts/make
[Config]
Profiles=small
`,
      'mkosi.version': '1.2\n',
      'scripts/make': { executable: '' },
      'mkosi.postinst.chroot': { executable: '' },
      'mkosi.conf.d/10-more.conf': '[Content]\nPackages=jq\n',
      'mkosi.profiles/small/mkosi.conf': '[Content]\nPackages=chosen\n',
      'mkosi.profiles/large.conf': '[Content]\nPackages=not-chosen\n',
      'bitwitness.yaml': 'image: { cmd: [/usr/bin/node] }\n',
    }
    expect(factsOf(files)).toEqual({
      images: [
        {
          name: 'main',
          format: 'tar',
          output: 'app_1.2',
          packages: ['curl=7.88.1-10+deb12u8', 'nodejs', 'jq', 'chosen'],
          scripts: [
            { path: 'scripts/make', kind: 'build', chroot: false },
            { path: 'mkosi.postinst.chroot', kind: 'postinst', chroot: true },
          ],
        },
      ],
      distribution: 'debian',
      release: 'bookworm',
      architecture: null,
      sourceDateEpoch: 1701475200,
      snapshot: '20241201T000000Z',
      mirrors: ['http://snapshot.invalid/archive/debian/20241201T000000Z'],
      imageConfig: { entrypoint: [], cmd: ['/usr/bin/node'], workingDir: null, user: null, env: [], exposedPorts: [], labels: {} },
      profiles: ['large', 'small'],
      files: ['mkosi.conf', 'mkosi.conf.d/10-more.conf', 'mkosi.profiles/large.conf', 'mkosi.profiles/small/mkosi.conf'],
      pins: {
        present: ['Distribution', 'Release', 'SourceDateEpoch', 'Snapshot'],
        missing: ['Architecture', 'package versions'],
      },
    } satisfies Recipe)
    expect(factsOf(files, ['large']).images[0]?.packages).toContain('not-chosen')
  })

  test('has an image for each folder and file of mkosi.images', () => {
    const { images } = factsOf({
      'mkosi.conf': '[Output]\nFormat=none\n[Content]\nPackages=main-only\n',
      'mkosi.images/b/mkosi.conf': '[Output]\nFormat=tar\nOutput=%I\n',
      'mkosi.images/a.conf': '[Content]\nPackages=x\n',
      'mkosi.images/README': 'words',
    })
    expect(images.map(({ name, format, output, packages }) => [name, format, output, packages])).toEqual([
      ['main', 'none', null, ['main-only']],
      ['a', null, null, ['x']],
      ['b', 'tar', 'b', []],
    ])
  })

  test('is reset by an empty value, and overridden by local files', () => {
    const { images } = factsOf({
      'mkosi.conf': '[Output]\nFormat=disk\n[Content]\nPackages=a\nPackages=\nPackages=b\n',
      'mkosi.local.conf': '[Output]\nFormat=tar\n[Content]\nPackages=c\n',
    })
    expect(images[0]).toMatchObject({ format: 'tar', packages: ['b', 'c'] })
    const scripts = factsOf({ 'mkosi.conf': '[Content]\nBuildScripts=a,b\nBuildScripts=\nBuildScripts=c\n', 'mkosi.build': '' }).images[0]
      ?.scripts
    expect(scripts?.map(({ path }) => path)).toEqual(['c'])
  })

  test('says nothing that only running it would show', () => {
    const { recipe, findings } = readRecipe(
      treeOf({ 'mkosi.conf': `${QUIET}[Output]\nOutput=%v\n`, 'mkosi.version': { executable: '#!/bin/sh\necho 1\n' } }),
    )
    expect(recipe.images[0]?.output).toBeNull()
    expect(findings.map(({ rule }) => rule)).toEqual(['setting-repeated', 'parse-time-executable'])
  })

  test('does not count what is for another distribution, with its drop-ins', () => {
    const { images } = factsOf({
      'mkosi.conf': '[Distribution]\nDistribution=debian\n',
      'mkosi.conf.d/debian.conf': '[Match]\nDistribution=debian\n[Content]\nPackages=deb\n',
      'mkosi.conf.d/fedora/mkosi.conf': '[Match]\nDistribution=fedora\n[Content]\nPackages=rpm\n',
      'mkosi.conf.d/fedora/mkosi.conf.d/a.conf': '[Content]\nPackages=more-rpm\n',
      'mkosi.conf.d/either.conf': '[Match]\nDistribution=|fedora\nDistribution=|debian\n[Content]\nPackages=any\n',
      'mkosi.conf.d/not.conf': '[Match]\nDistribution=!debian\n[Content]\nPackages=other\n',
    })
    expect(images[0]?.packages).toEqual(['deb', 'any'])
  })

  test('is read through includes once, in the order of mkosi', () => {
    const { images, files } = factsOf({
      'mkosi.conf': '[Content]\nPackages=before\n[Include]\nInclude=more,more\n[Content]\nPackages=after\n',
      'more/mkosi.conf': '[Content]\nPackages=in\n[Include]\nInclude=.\nInclude=../mkosi.conf\n',
    })
    expect(images[0]?.packages.slice(0, 2)).toEqual(['before', 'in'])
    expect(images[0]?.packages.at(-1)).toBe('after')
    expect(files).toEqual(['mkosi.conf', 'more/mkosi.conf'])
  })

  test('may be empty', () => {
    const { recipe, findings } = readRecipe(treeOf({}))
    expect(Recipe.parse(recipe)).toEqual(recipe)
    expect(findings.map(({ rule }) => rule)).toEqual(['config-missing'])
  })
})

describe('a hostile recipe', () => {
  const names = fc.constantFrom(
    'mkosi.conf',
    'mkosi.env',
    'mkosi.version',
    'mkosi.conf.d/a.conf',
    'mkosi.extra',
    'a',
    'mkosi.images/x/mkosi.conf',
    'bitwitness.yaml',
    'mkosi.profiles/p',
  )
  const setting = fc.constantFrom(...SETTINGS.map(({ name }) => name))
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.constantFrom(
      '%D/x',
      '%v',
      '../..',
      '$HOME',
      'a,b',
      '-x',
      'yes',
      '',
      '"',
      '%',
      '\n  [Output]\n  x',
      'mkosi.conf',
      '.',
      '..',
      'a:b:c:d',
    ),
  )
  const conf = fc
    .array(fc.tuple(fc.constantFrom('Output', 'Content', 'Match', 'Foo', 'Include'), setting, value), { maxLength: 12 })
    .map((lines) => lines.map(([section, name, text]) => `[${section}]\n${name}=${text}\n`).join(''))
  const file: fc.Arbitrary<TreeFile> = fc.oneof(
    { weight: 4, arbitrary: conf },
    fc.string({ unit: 'binary' }),
    fc.uint8Array(),
    fc.record({ executable: fc.string() }),
    fc.record({ link: fc.constantFrom('/etc', '..', '.', 'a', 'mkosi.conf', 'mkosi.extra/a', '') }),
  )

  test('never makes the reader throw, and always yields a document', () => {
    fc.assert(
      fc.property(fc.dictionary(names, file), (files) => {
        const reading = readRecipe(treeOf(files))
        expect(RecipeReading.parse(reading)).toEqual(reading)
        // No database takes it.
        expect(JSON.stringify(reading)).not.toContain('\\u0000')
      }),
      { numRuns: 300 },
    )
  })

  test('is refused for any setting that nobody knows', () => {
    const known = new Set(SETTINGS.flatMap(({ name, aliases }) => [name, ...aliases]))
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z]{1,20}$/), (name) => {
        const { findings } = readRecipe(treeOf({ 'mkosi.conf': `${QUIET}${name}=x\n` }))
        expect(findings.some(({ rule, severity }) => rule === 'setting-unknown' && severity === 'refuse')).toBe(!known.has(name))
      }),
    )
  })

  test.each([
    ['items', { 'mkosi.conf': `[Content]\nExtraTrees=${'a%v:/b,'.repeat(140_000)}\n` }],
    ['settings', { 'mkosi.conf': `[Content]\n${'A=b\n'.repeat(250_000)}` }],
    ['errors', { 'mkosi.conf': 'x\n'.repeat(500_000) }],
    ['lines that go on', { 'mkosi.conf': `[Content]\nPackages=\n${' a\n'.repeat(300_000)}` }],
    ['sections', { 'mkosi.conf': '[a]\n'.repeat(250_000) }],
    ['drop-ins', Object.fromEntries(Array.from({ length: 6000 }, (_, index) => [`mkosi.conf.d/${index}.conf`, '[Content]\nPackages=a\n']))],
    [
      'targets',
      { 'mkosi.conf': `[Content]\nExtraTrees=${Array.from({ length: 15_000 }, (_, index) => `.:/${index}`).join(',')}\n`, ...many(2000) },
    ],
    ['links', Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`l${index}`, { link: `l${index + 1}` }]))],
    [
      'includes of includes',
      Object.fromEntries(
        Array.from({ length: 1500 }, (_, index) => [index === 0 ? 'mkosi.conf' : `f${index}`, `[Include]\nInclude=f${index + 1}\n`]),
      ),
    ],
  ] as const)(
    'with a great many %s is read in little time',
    (_, files) => {
      const tree = treeOf(files)
      const start = performance.now()
      expect(readRecipe(tree).findings.length).toBeGreaterThan(0)
      expect(performance.now() - start).toBeLessThan(10_000)
    },
    30_000,
  )
})

function many(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`files/${index}`, '']))
}
