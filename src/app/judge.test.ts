import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryBlobs } from '../../verifier/builder/inputs/testing/memory-blobs.ts'
import { artifact, attempt, claim, digest } from '../../verifier/compare/testing/image.ts'
import type { Claim } from '../../verifier/model/claim.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { decideVerification } from '../../verifier/model/verdict.ts'
import { judge } from './judge.ts'
import type { Rebuilt } from './rebuild.ts'

let scratch: string
beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'bitwitness-judge-'))
})
afterEach(() => rm(scratch, { recursive: true }))

/** Two attempts that agree on one tar. */
const attempts = [1, 2].map((number) => attempt(number, [artifact({ sha256: digest('a') })]))
const rebuilt = {
  attempts: { results: attempts.map((one) => ({ attempt: one, lock: null, files: new Map() })), lock: null },
  reading: { recipe: { sourceDateEpoch: 0, imageConfig: {} } },
  architecture: 'amd64',
} as unknown as Rebuilt

async function judged(fetchClaimed: () => Promise<string>, claims: readonly Claim[] = [claim(digest('b'))]) {
  const signal = new AbortController().signal
  const { comparisons, explained } = await judge({ blobs: memoryBlobs(), fetchClaimed, outputBytes: 1024 ** 2 }, rebuilt, {
    claims,
    claimed: 'there',
    scratch,
    signal,
  })
  return { explained, decision: decideVerification({ recipeFindings: [], attempts, comparisons, claims }) }
}

/** Bytes that lie where the claimed ones should. */
function bytes(content: Uint8Array) {
  const file = path.join(scratch, 'theirs')
  return async () => {
    await writeFile(file, content)
    return file
  }
}

describe('a claim that is not what was built', () => {
  it.each<[string, () => () => Promise<string>, string]>([
    [
      'cannot be fetched',
      () => () => Promise.reject(new Failure({ code: 'download-failed', message: 'the server refused it', hint: 'try' })),
      'download-failed',
    ],
    ['are something else', () => bytes(Buffer.from('something else')), 'claimed-file-differs'],
    ['are gone', () => async () => path.join(scratch, 'gone'), 'claimed-unreadable'],
    ['are a folder', () => async () => scratch, 'claimed-unreadable'],
    ['are a device', () => async () => '/dev/zero', 'claimed-unreadable'],
    ['would fill the disk', () => bytes(gzipSync(Buffer.alloc(1024 ** 2 + 1))), 'decompressed-size'],
    ['are cut short', () => bytes(gzipSync(Buffer.alloc(100_000)).subarray(0, 50)), 'compressed-damaged'],
  ])('is a mismatch where its bytes %s', async (_, fetchClaimed, code) => {
    const { explained, decision } = await judged(fetchClaimed())
    expect(decision).toMatchObject({ verdict: 'mismatch', reasons: [{ code: 'claim-different' }, { code: 'claim-different' }] })
    expect(explained).toMatchObject({ state: 'skip', reason: expect.stringContaining(code) })
  })

  it('is looked into where another claim cannot be', async () => {
    const claims = [claim(digest('b')), claim(digest('c'), { kind: 'oci-manifest' })]
    const { decision } = await judged(bytes(Buffer.from('no layout')), claims)
    expect(decision.verdict).toBe('mismatch')
  })

  it('is left open where our own machine fails', async () => {
    const ours = new Failure({ code: 'canonical-io', message: 'the disk is full', hint: 'make room', audience: 'operator' })
    await expect(judged(() => Promise.reject(ours))).rejects.toBe(ours)
  })
})

describe('attempts that differ', () => {
  it('keep their verdict where what is known of them is gone', async () => {
    const apart = ['a', 'b'].map((bits, index) => attempt(index + 1, [artifact({ sha256: digest(bits), treeManifest: digest('f') })]))
    const differing = {
      ...rebuilt,
      attempts: { results: apart.map((one) => ({ attempt: one, lock: null, indexes: [], files: new Map() })), lock: null },
    }
    const signal = new AbortController().signal
    const ports = { blobs: memoryBlobs(), fetchClaimed: () => Promise.reject(new Error('nothing is claimed')), outputBytes: 1024 }
    const { comparisons, explained } = await judge(ports, differing as unknown as Rebuilt, { claims: [], claimed: null, scratch, signal })
    expect(decideVerification({ recipeFindings: [], attempts: apart, comparisons, claims: [] }).verdict).toBe('nondeterministic')
    expect(explained.state).toBe('skip')
    expect(explained.reason).toContain('blob-missing')
  })
})
