import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { aptSandboxTree } from '../builder/inputs/apt-sandbox.ts'
import { gatherInputs } from '../builder/inputs/gather.ts'
import { lockRecording } from '../builder/inputs/lock-recording.ts'
import { misdescribedInputs } from '../builder/inputs/lock-truth.ts'
import { replayInputs } from '../builder/inputs/replay.ts'
import { memoryBlobs } from '../builder/inputs/testing/memory-blobs.ts'
import { get, rawExchange } from '../builder/inputs/testing/raw-client.ts'
import type { Sandbox } from '../builder/sandbox.ts'
import { Sha256 } from '../model/digest.ts'
import { INPUT_LOCK_SCHEMA, type InputLock } from '../model/lock.ts'
import type { VerificationReport } from '../model/report.ts'
import { readRecipe } from '../recipe/read-recipe.ts'
import { recipeWith } from '../recipe/testing/recipe-of.ts'
import { treeOf } from '../recipe/testing/tree-of.ts'
import { runAttempts } from './attempts.ts'
import { verificationReport } from './report.ts'

const digest = Sha256.parse('a'.repeat(64))
const blobs = memoryBlobs()

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-indexes-'))
})
afterEach(() => rm(folder, { recursive: true }))

const plainOn = (suite: string, date: string): string => `Suite: ${suite}\nCodename: ${suite}\nDate: ${date}\nSHA256:\n`

const signedOn = (suite: string, date: string): string => `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

${plainOn(suite, date)}-----BEGIN PGP SIGNATURE-----

x
-----END PGP SIGNATURE-----
`

/** A lock of these bodies, each in the store and described truly. */
async function lockOf(bodies: Readonly<Record<string, string>>): Promise<InputLock> {
  const recorded = []
  for (const [target, text] of Object.entries(bodies)) {
    const slash = target.indexOf('/')
    async function* body() {
      yield Buffer.from(text)
    }
    recorded.push({ archive: target.slice(0, slash), path: target.slice(slash + 1), ...(await blobs.put(body())) })
  }
  const { inputs } = await lockRecording(recorded, blobs)
  return { schema: INPUT_LOCK_SCHEMA, architecture: 'amd64', snapshot: null, inputs, absent: [] }
}

/** What a report says of attempts from a lock, of which each asks for these. */
async function indexesOf(lock: InputLock, requests: readonly string[]): Promise<VerificationReport['indexes']> {
  const sandbox: Sandbox = {
    facts: { profile: 'test/v1', digest, isolation: 'shared-kernel', apparmor: 'absent', workspace: 'tmpfs' },
    outputBytes: 1 << 20,
    async run(_, io) {
      for (const request of requests) await rawExchange({ accept: io.accept }, request)
      return { kind: 'finished', exit: 1, usage: { cpuMs: 1, peakMemoryBytes: 1 } }
    },
  }
  const reading = readRecipe(treeOf(recipeWith('')))
  const attempts = await runAttempts(
    {
      blobs,
      builder: digest,
      architecture: 'amd64',
      slots: 1,
      folder,
      sandboxTree: aptSandboxTree({ suite: 'trixie', architecture: 'amd64' }),
      sandbox: () => sandbox,
      record: () => Promise.reject(new Error('unused')),
      replay: (given) => replayInputs({ lock: given, blobs }),
      gather: (given) => gatherInputs({ lock: given, blobs, mirrors: new Map() }),
      misdescribed: (given) => misdescribedInputs(given, blobs),
    },
    {
      source: async function* () {
        yield new Uint8Array(1024)
      },
      reading,
      profiles: [],
      attempts: 2,
      lock,
      emit: () => {},
      signal: new AbortController().signal,
    },
  )
  expect(attempts.results.map(({ attempt }) => attempt.mode)).toEqual(['replay', 'replay'])
  return verificationReport([], {
    source: { kind: 'archive', name: 'x', sha256: null, path: '.', treeDigest: digest },
    reading,
    architecture: 'amd64',
    builder: null,
    attempts,
    comparisons: [],
    explained: { findings: [], state: 'complete', reason: null, documents: [] },
    startedAt: '',
    finishedAt: '',
    version: '1.2.3',
  }).indexes
}

const OLD = 'Sat, 01 Mar 2025 10:00:00 UTC'
const NEW = 'Sun, 01 Mar 2026 10:00:00 UTC'
const head = (request: string): string => request.replace('GET', 'HEAD')
const index = (archive: string, suite: string, date: string) => ({ archive, suite, date: new Date(date).toISOString(), validUntil: null })

it('are listed once, as all attempts were handed them, with the dates that they really have', async () => {
  const lock = await lockOf({
    'debian/dists/trixie/InRelease': signedOn('trixie', OLD),
    'debian-security/dists/trixie-security/InRelease': signedOn('trixie-security', NEW),
  })
  const requests = [get('debian', 'dists/trixie/InRelease'), get('debian-security', 'dists/trixie-security/InRelease')]
  expect(await indexesOf(lock, requests)).toEqual([index('debian', 'trixie', OLD), index('debian-security', 'trixie-security', NEW)])
})

it('do not make an old lock look fresh by newer ones that nothing was built from', async () => {
  const lock = await lockOf({
    'debian/dists/trixie/InRelease': signedOn('trixie', OLD),
    // Never asked for; asked for without its body; asked for by a script, where apt does not look.
    'debian/dists/trixie-updates/InRelease': signedOn('trixie-updates', NEW),
    'debian-security/dists/trixie-security/InRelease': signedOn('trixie-security', NEW),
    'debian/dists/stable/InRelease': signedOn('trixie', NEW),
    'debian/dists/trixie/Release': plainOn('trixie', NEW),
  })
  const requests = [
    get('debian', 'dists/trixie/InRelease'),
    head(get('debian-security', 'dists/trixie-security/InRelease')),
    get('debian', 'dists/stable/InRelease'),
    get('debian', 'dists/trixie/Release'),
  ]
  expect(await indexesOf(lock, requests)).toEqual([index('debian', 'trixie', OLD)])
})

it('are those of the second form where an archive has no other', async () => {
  const absent = [{ archive: 'debian', path: 'dists/trixie/InRelease' }]
  const lock = { ...(await lockOf({ 'debian/dists/trixie/Release': plainOn('trixie', OLD) })), absent }
  const requests = [get('debian', 'dists/trixie/InRelease'), get('debian', 'dists/trixie/Release')]
  expect(await indexesOf(lock, requests)).toEqual([index('debian', 'trixie', OLD)])
})
