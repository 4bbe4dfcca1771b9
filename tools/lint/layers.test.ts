import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LINTED } from '../suites.ts'
import { LAYERS, layerOf, objection } from './layers.ts'

const root = path.join(import.meta.dirname, '../..')
const fixtures = path.join(import.meta.dirname, 'fixtures')
const files = readdirSync(fixtures, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .toSorted()

describe('the linter, on the fixtures', () => {
  let folder: string
  let fired: Record<string, string[]>

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'bitwitness-lint-'))
    // The project's own configuration, with paths made absolute and the fixtures no longer passed over.
    const config = JSON.parse(readFileSync(path.join(root, '.oxlintrc.json'), 'utf8'))
    const own = { ...config, $schema: undefined, ignorePatterns: [], overrides: [], jsPlugins: [path.join(root, 'tools/lint/rules.ts')] }
    writeFileSync(path.join(folder, 'oxlintrc.json'), JSON.stringify(own))
    fired = lint(path.join(folder, 'oxlintrc.json'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it.each(files)('%s breaks exactly the rules that it names', (name) => {
    const expected = /^\/\/ expect: (.*)$/m.exec(readFileSync(path.join(fixtures, name), 'utf8'))?.[1]?.split(' ') ?? []
    expect(fired[name] ?? []).toEqual(expected.toSorted())
  })

  it('break every rule that we switched on beside the linter’s own', () => {
    const config = JSON.parse(readFileSync(path.join(root, '.oxlintrc.json'), 'utf8')) as { rules: Record<string, unknown> }
    const ours = Object.keys(config.rules).filter((rule) => config.rules[rule] === 'error')
    expect([...new Set(Object.values(fired).flat())].toSorted()).toEqual(expect.arrayContaining(ours))
  })
})

/** Rules that fired, by fixture. */
function lint(config: string): Record<string, string[]> {
  const args = [path.join(root, 'node_modules/oxlint/bin/oxlint'), '-c', config, '-f', 'json', '--no-ignore', fixtures]
  let printed: string
  try {
    printed = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    printed = (error as { stdout: string }).stdout
  }
  const found: Record<string, Set<string>> = {}
  for (const { filename, code } of (JSON.parse(printed) as { diagnostics: { filename: string; code: string }[] }).diagnostics) {
    const name = path.relative(fixtures, path.resolve(root, filename))
    // `plugin(rule)`; rules of the language itself carry the prefix eslint.
    const rule = code.replace(/^(.*)\((.*)\)$/, '$1/$2').replace(/^eslint\//, '')
    found[name] = (found[name] ?? new Set()).add(rule)
  }
  return Object.fromEntries(Object.entries(found).map(([name, rules]) => [name, [...rules].toSorted()]))
}

describe('the table of layers', () => {
  it('holds every folder that has code', () => {
    const stray = LINTED.filter((dir) => !dir.endsWith('.ts'))
      .flatMap((dir) => readdirSync(path.join(root, dir), { recursive: true, encoding: 'utf8' }).map((name) => `${dir}/${name}`))
      .filter((file) => /\.tsx?$/.test(file) && !file.startsWith('tools/lint/fixtures/') && layerOf(file) === undefined)
    expect(stray).toEqual([])
  })

  it('lets nothing below src be imported by the libraries', () => {
    const libraries = LAYERS.filter(({ dir }) => dir.startsWith('verifier') || dir.startsWith('attestations'))
    expect(libraries.length).toBeGreaterThan(5)
    expect(libraries.flatMap(({ may }) => may).filter((allowed) => allowed.startsWith('src'))).toEqual([])
  })

  it('has no two folders of a library that may import each other', () => {
    const library = LAYERS.filter(({ dir }) => /^(verifier|attestations)\//.test(dir))
    const mutual = library.flatMap((one) =>
      library.filter((other) => one.dir < other.dir && one.may.includes(other.dir) && other.may.includes(one.dir)),
    )
    expect(mutual).toEqual([])
  })

  it.each([
    ['src/cli/x.ts', '../../verifier/model/digest.ts', undefined],
    ['src/cli/x.ts', '../db/x.ts', 'src/cli may not import src/db/x.ts'],
    ['verifier/model/x.ts', '../../verifier/modelling/x.ts', 'verifier/model may not import verifier/modelling/x.ts'],
    ['verifier/compare/x.ts', './y.ts', undefined],
    ['verifier/compare/x.ts', 'zod', 'verifier/compare may not import the package zod'],
    ['verifier/compare/x.test.ts', 'vitest', undefined],
    ['verifier/compare/x.ts', 'vitest', 'verifier/compare may not import the package vitest'],
    ['nowhere/x.ts', 'zod', 'nowhere/x.ts is in no layer; add its folder to tools/lint/layers.ts'],
  ])('says of %s importing %s: %s', (file, specifier, said) => {
    expect(objection(file, specifier)).toBe(said)
  })
})
