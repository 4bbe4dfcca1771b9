import { execFile } from 'node:child_process'
import { lstat, readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { CaseKind, Expected, readCases } from './expected.ts'

const cases = await readCases()
const folder = path.join(import.meta.dirname, 'cases')

test('there are at least 24 cases, several of each kind', () => {
  expect(cases.length).toBeGreaterThanOrEqual(24)
  const kinds = Object.groupBy(cases, ({ expected }) => expected.kind)
  for (const kind of CaseKind.options) expect(kinds[kind]?.length ?? 0).toBeGreaterThanOrEqual(5)
})

test('a label is the name of its folder, which holds a recipe and nothing else beside it', async () => {
  for (const { expected, recipe } of cases) {
    const own = path.dirname(recipe)
    expect(path.basename(own)).toBe(expected.label)
    expect((await readdir(own)).toSorted()).toEqual(['expected.json', 'recipe'])
    expect((await lstat(recipe)).isDirectory()).toBe(true)
  }
})

test('no two cases are there for the same reason', () => {
  expect(new Set(cases.map(({ expected }) => expected.why)).size).toBe(cases.length)
})

test('every script can be run, and nothing else can but programs that are there to be shipped', async () => {
  const wrong: string[] = []
  for await (const { name, file, bytes, executable } of files()) {
    const runs = bytes.subarray(0, 2).toString() === '#!' || bytes.subarray(1, 4).toString() === 'ELF'
    if (executable !== runs) wrong.push(`${name}/${file}`)
  }
  expect(wrong).toEqual([])
})

test('git keeps every file of the corpus', async () => {
  const { stdout } = await promisify(execFile)('git', ['check-ignore', '--no-index', '--', ...(await allPaths())], { cwd: folder }).catch(
    (error: { code?: number; stdout: string }) => {
      // 1: nothing is ignored.
      if (error.code === 1) return error
      throw new Error('git check-ignore failed')
    },
  )
  expect(stdout).toBe('')
})

test('no recipe names a real mirror or registry', async () => {
  const hosts = new RegExp(['debian', 'npmjs', 'ubuntu', 'docker', 'python'].map((name) => `${name}\\.(?:org|com|io)`).join('|'), 'i')
  const naming: string[] = []
  for await (const { name, file, bytes } of files()) if (hosts.test(bytes.toString('latin1'))) naming.push(`${name}/${file}`)
  expect(naming).toEqual([])
})

test('recipes are small', async () => {
  let total = 0
  for await (const { bytes } of files()) total += bytes.length
  expect(total).toBeLessThan(512 * 1024)
})

test('a label that contradicts itself is refused', () => {
  const [first] = cases
  const good = { ...first?.expected, kind: 'fault', shows: 'here', verdict: { check: 'nondeterministic' }, outcome: 'built' }
  expect(Expected.safeParse(good).success).toBe(true)
  for (const wrong of [
    { shows: 'elsewhere' },
    { shows: undefined },
    { kind: 'reproducible' },
    { kind: 'broken' },
    { outcome: null },
    { outcome: 'limit' },
    { limit: 'time' },
    { verdict: { check: 'repeatable' } },
    { unknown: 1 },
  ])
    expect({ wrong, taken: Expected.safeParse({ ...good, ...wrong }).success }).toEqual({ wrong, taken: false })
})

async function allPaths(): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => path.join(entry.parentPath, entry.name))
}

async function* files(): AsyncGenerator<{ name: string; file: string; bytes: Buffer; executable: boolean }> {
  for (const { expected, recipe } of cases)
    for (const entry of await readdir(recipe, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const file = path.join(entry.parentPath, entry.name)
      const executable = ((await lstat(file)).mode & 0o100) !== 0
      yield { name: expected.label, file: path.relative(recipe, file), bytes: await readFile(file), executable }
    }
}
