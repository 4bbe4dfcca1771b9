import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Ports, ScratchFolder } from '../../src/app/ports.ts'
import { firstBuilt, type Rebuilt, rebuild } from '../../src/app/rebuild.ts'
import { holdAgainst } from '../../src/app/verify.ts'
import { Context } from '../../src/context.ts'
import { sharedSettings } from '../../test/shared-home.ts'
import { MemoryBlobs } from '../../verifier/compare/testing/canonical.ts'
import { type Member, packMember, unpackMembers } from '../../verifier/compare/testing/members.ts'
import { MUTATION_KINDS, type Mutation, mutate } from '../../verifier/compare/testing/mutations.ts'
import { firstDifference, type Parts, sizeOf } from '../../verifier/compare/testing/parts.ts'
import { PatchedFile } from '../../verifier/compare/testing/patched-file.ts'
import type { Artifact } from '../../verifier/model/attempt.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { Explanation } from '../../verifier/model/explanation.ts'
import { sha256Of } from '../../verifier/model/hex-digest.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import { judgeMutation, type MutationJudgement } from './judge-mutation.ts'

const MUTATIONS = 520
/** Verifications side by side. */
const LANES = Math.min(4, availableParallelism())
const CASE = 'debian-minimal'
const MINUTES = 60_000
const signal = new AbortController().signal

let ports: Ports
let scratch: ScratchFolder
let rebuilt: Rebuilt
let artifact: Artifact
let original: Buffer
let members: Member[]
let manifest: Buffer

beforeAll(async () => {
  const context = await Context.open(await sharedSettings())
  ports = await context.ports()
  scratch = await ports.scratch()
  const source = path.join(import.meta.dirname, 'cases', CASE, 'recipe')
  const unlocked = { lock: null, inputs: null, builder: null, snapshot: null }
  rebuilt = await rebuild(ports, { source, attempts: 1, ...unlocked, signal, emit: () => {} }, scratch.path)
  const built = firstBuilt(rebuilt)
  const [first] = built?.attempt.artifacts ?? []
  if (built === undefined || first?.treeManifest == null)
    throw new Error(`the image was not built: ${JSON.stringify(rebuilt.attempts.results.map(({ attempt }) => attempt.reason))}`)
  artifact = first
  original = await readFile(built.files.get(first.name) ?? '')
  members = unpackMembers(original)
  manifest = Buffer.concat(await Array.fromAsync(await ports.blobs.open(first.treeManifest)))
}, 15 * MINUTES)

afterAll(() => scratch[Symbol.asyncDispose]())

type Verified = { readonly report: VerificationReport; readonly explanation: Explanation | null }

/** A verification from where the image was rebuilt: the bytes in `file` are claimed. */
async function verified(sha256: Sha256, file: string, folder: string): Promise<Verified> {
  const claim = { kind: 'file' as const, name: null, sha256, location: null }
  // A store of its own, so that the manifests of hundreds of images do not stay.
  const blobs = new MemoryBlobs()
  blobs.held.set(artifact.treeManifest ?? '', manifest)
  const report = await holdAgainst({ ...ports, blobs }, rebuilt, { claims: [claim], claimed: file, scratch: folder, signal })
  const [document] = report.explanation.documents
  return { report, explanation: document === undefined ? null : Explanation.parse(JSON.parse(blobs.text(document))) }
}

function digestOf(parts: Parts): Sha256 {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return sha256Of(hash)
}

/** No two of the same bytes: an image with three hard links has few ways to lose one. */
function* mutations(): Generator<{ readonly label: string; readonly mutation: Mutation; readonly sha256: Sha256 }, void, void> {
  const made = new Set<Sha256>()
  for (let seed = 0; made.size < MUTATIONS; seed += 1) {
    const mutation = mutate(members, seed)
    const sha256 = mutation === undefined ? undefined : digestOf(mutation.archive)
    if (mutation === undefined || sha256 === undefined || made.has(sha256)) continue
    made.add(sha256)
    yield { label: `${mutation.kind}, seed ${seed}`, mutation, sha256 }
  }
}

test('the rebuilt image itself is reproduced, bit for bit', async () => {
  const folder = path.join(scratch.path, 'itself')
  await mkdir(folder)
  using file = new PatchedFile(path.join(folder, 'claimed.tar'))
  file.become([original])
  const { report } = await verified(digestOf([original]), file.path, folder)
  expect(report).toMatchObject({ verdict: 'reproduced', tier: 'bit-exact', comparisons: [{ result: 'equal', transformations: [] }] })
})

test(`of ${MUTATIONS} different single mutations of a mkosi image none is accepted, and what was changed is named`, { timeout: 30 * MINUTES }, async () => {
  const from = performance.now()
  const starts = [0]
  for (const member of members) starts.push((starts.at(-1) ?? 0) + sizeOf(packMember(member)))
  const queue = mutations()
  const rows: ({ readonly label: string } & MutationJudgement)[] = []
  const kinds = new Set<string>()
  const lane = async (_: unknown, number: number): Promise<void> => {
    const folder = path.join(scratch.path, `lane-${number}`)
    await mkdir(folder)
    using file = new PatchedFile(path.join(folder, 'claimed.tar'))
    for (const { label, mutation, sha256 } of queue) {
      kinds.add(mutation.kind)
      const difference = firstDifference(original, mutation.archive)
      if (difference === undefined) throw new Error(`${label} changes nothing`)
      file.become(mutation.archive)
      const seen = await verified(sha256, file.path, folder)
      rows.push({ label, ...judgeMutation({ mutation, ...seen, firstDifference: difference, starts }) })
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  const falseAccepts = rows.filter((row) => row.falseAccept).map(({ label }) => label)
  const unnamed = rows.flatMap((row) => row.unnamed.map((what) => `${row.label}: ${what}`))
  const complaints = rows.flatMap((row) => row.complaints.map((what) => `${row.label}: ${what}`))
  process.stdout.write(
    `mutations of ${CASE} (${(original.length / 1e6).toFixed(0)} MB, ${members.length} members): ${rows.length} of ${kinds.size} kinds, ` +
      `${falseAccepts.length} false accepts, ${unnamed.length} unnamed, in ${((performance.now() - from) / 1000).toFixed(0)} s\n`,
  )
  expect({ mutations: rows.length, falseAccepts, unnamed, complaints }).toEqual({
    mutations: MUTATIONS,
    falseAccepts: [],
    unnamed: [],
    complaints: [],
  })
  // There is no device in the image whose number could be changed.
  expect(MUTATION_KINDS.filter((kind) => !kinds.has(kind))).toEqual(['device-number'])
})
