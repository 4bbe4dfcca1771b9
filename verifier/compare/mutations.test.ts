import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Failure } from '../model/failure.ts'
import { decodeEntry, escapeBytes } from '../model/tree-manifest.ts'
import { canonicalBytes, scratchFolder } from './testing/canonical.ts'
import { type Member, packMembers, unpackMembers } from './testing/members.ts'
import { MUTATION_KINDS, mutate } from './testing/mutations.ts'
import { gnuTar, MKOSI_TAR, makeTree } from './testing/real-tree.ts'

const MUTATIONS = 600

let scratch: Awaited<ReturnType<typeof scratchFolder>>
let members: Member[]
let original: Awaited<ReturnType<typeof canonicalBytes>>

beforeAll(async () => {
  scratch = await scratchFolder()
  await makeTree(scratch.at('tree'))
  await gnuTar(MKOSI_TAR, scratch.at('tree'), scratch.at('real.tar'))
  original = await canonicalBytes(await readFile(scratch.at('real.tar')))
  members = unpackMembers(original.bytes)
})
afterAll(() => scratch[Symbol.asyncDispose]())

/** Paths with another line, or a line on one side only. */
function changedPaths(before: string, after: string): string[] {
  const [one, two] = [before, after].map((text) => new Set(text.split('\n').slice(1, -1)))
  const apart = [...(one ?? [])]
    .filter((line) => two?.has(line) !== true)
    .concat([...(two ?? [])].filter((line) => one?.has(line) !== true))
  return [...new Set(apart.map((line) => decodeEntry(line).path))]
}

test('the corpus is made from an archive that is canonical', () => {
  // Copies are encoded anew.
  expect(packMembers(members.map((member) => ({ ...member }))).equals(original.bytes)).toBe(true)
  expect(packMembers(members).equals(original.bytes)).toBe(true)
})

test(`of ${MUTATIONS} seeded mutations none is taken for the original, and each changed path is named`, { timeout: 120_000 }, async () => {
  const seen = new Map<string, number>()
  let made = 0
  for (let seed = 0; made < MUTATIONS; seed += 1) {
    const mutation = mutate(members, seed)
    if (mutation === undefined) continue
    made += 1
    seen.set(mutation.kind, (seen.get(mutation.kind) ?? 0) + 1)
    const label = `${mutation.kind}, seed ${seed}`
    const archive = Buffer.concat(mutation.archive)
    expect({ label, same: archive.equals(original.bytes) }).toEqual({ label, same: false })
    const result = await canonicalBytes(archive).catch((error: unknown) => error)
    if (result instanceof Failure) {
      expect({ label, outcome: 'refused', code: result.code }).toEqual({
        label,
        outcome: mutation.expected,
        code: expect.stringMatching(/^tar-/),
      })
      continue
    }
    if (result instanceof Error) throw result
    const { canonical, written, manifest, transformations } = result as typeof original
    const outcome = canonical.sha256 === original.canonical.sha256 ? 'equal' : 'different'
    expect({ label, outcome }).toEqual({ label, outcome: mutation.expected })
    expect({ label, bitExact: written.sha256 === original.canonical.sha256 }).toEqual({ label, bitExact: false })
    if (outcome === 'equal')
      expect({ label, transformations, same: manifest === original.manifest }).toEqual({
        label,
        transformations: mutation.undone,
        same: true,
      })
    const changed = changedPaths(original.manifest, manifest)
    const expected = mutation.paths.map((path) => escapeBytes(Buffer.from(path, 'latin1')))
    expect({ label, changed: changed.toSorted((a, b) => (a < b ? -1 : 1)) }).toEqual({
      label,
      changed: expected.toSorted((a, b) => (a < b ? -1 : 1)),
    })
  }
  expect(MUTATION_KINDS.filter((kind) => !seen.has(kind))).toEqual(process.getuid?.() === 0 ? [] : ['device-number'])
})
