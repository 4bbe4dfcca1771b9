import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync, rmSync, truncateSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { InputFailure, InputProxy } from '../builder/inputs/input-proxy.ts'
import { memoryBlobs } from '../builder/inputs/testing/memory-blobs.ts'
import type { OutputEntry, Sandbox, SandboxEnd } from '../builder/sandbox.ts'
import { compareAttempts, compareWithClaims } from '../compare/judge.ts'
import type { SandboxFacts } from '../model/attempt.ts'
import { parseSha256, Sha256 } from '../model/digest.ts'
import type { AttemptEvent } from '../model/event.ts'
import { Failure } from '../model/failure.ts'
import { INPUT_LOCK_SCHEMA, type InputLock } from '../model/lock.ts'
import type { RecipeReading } from '../model/recipe.ts'
import { decideCheck, decideVerification } from '../model/verdict.ts'
import { rawMember, rawTar } from '../tar/testing/raw-tar.ts'
import { type AttemptsResult, type AttemptsWorkshop, runAttempts } from './attempts.ts'

const FACTS: SandboxFacts = {
  profile: 'test/v1',
  digest: Sha256.parse('a'.repeat(64)),
  isolation: 'shared-kernel',
  apparmor: 'absent',
  workspace: 'tmpfs',
}
const LOCK: InputLock = { schema: INPUT_LOCK_SCHEMA, architecture: 'amd64', snapshot: null, inputs: [], absent: [] }
const USAGE = { cpuMs: 1, peakMemoryBytes: 1 }
const READING: RecipeReading = {
  findings: [],
  recipe: {
    images: [{ name: 'main', format: 'disk', output: 'image', packages: [], scripts: [] }],
    distribution: 'custom',
    release: null,
    architecture: null,
    sourceDateEpoch: 0,
    snapshot: null,
    mirrors: [],
    imageConfig: { entrypoint: [], cmd: [], workingDir: null, user: null, env: [], exposedPorts: [], labels: {} },
    profiles: [],
    files: [],
    pins: { present: [], missing: [] },
  },
}
const SUMMARY = { Images: [{ Image: null, Output: 'image', Format: 'disk' }] }

/** One container's part: what it leaves and how it ends. */
type Script = {
  readonly outputs?: readonly (OutputEntry & { readonly content: string | Uint8Array })[]
  readonly end?: SandboxEnd
  readonly summary?: unknown
  readonly fails?: unknown
  /** Fails after its outputs came. */
  readonly breaks?: boolean
  /** Fails while an output comes. */
  readonly breaksOff?: boolean
  readonly missing?: readonly InputFailure[]
  /** Of the container, going on after its end is known. */
  readonly removal?: () => Promise<void>
  readonly lasts?: (signal: AbortSignal) => Promise<void>
}

const built = (content: string): Script => ({ outputs: [{ name: 'image.raw', type: 'file', size: content.length, content }] })

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'attempts-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

type Run = AttemptsResult & { readonly events: readonly AttemptEvent[]; readonly modes: readonly string[] }

async function run(
  scripts: readonly Script[],
  o: {
    attempts?: number
    lock?: InputLock
    gather?: InputFailure[]
    misdescribed?: () => Promise<InputFailure[]>
    signal?: AbortSignal
  } = {},
): Promise<Run> {
  const queue = [...scripts]
  const modes: string[] = []
  const events: AttemptEvent[] = []
  let current: Script = {}
  const proxy = (mode: string): InputProxy => {
    modes.push(mode)
    current = queue.shift() ?? {}
    const { missing = [] } = current
    return {
      accept: () => {},
      listen: () => Promise.reject(new Error('unused')),
      finish: async () => LOCK,
      served: () => false,
      failures: () => missing,
      stats: () => ({ requests: 0, bytes: 0 }),
      [Symbol.asyncDispose]: async () => {},
    }
  }
  const sandbox: Sandbox = {
    facts: FACTS,
    outputBytes: 1 << 20,
    async run(_job, io) {
      const script = current
      if (script.fails !== undefined) throw script.fails
      io.stage('source')
      io.stage('build')
      io.log(Buffer.from('a line\nan \u001b[31mescape\n'))
      const end = script.end ?? { kind: 'finished', exit: 0, usage: USAGE }
      if (end.kind !== 'finished' || end.exit !== 0) return end
      io.stage('collect')
      io.summary('summary' in script ? script.summary : SUMMARY)
      for (const { content, ...entry } of script.outputs ?? [])
        await io.output(
          entry,
          (async function* () {
            yield Buffer.from(content)
            if (script.breaksOff === true) throw new Error('the output broke off')
          })(),
        )
      if (script.breaks === true) throw new Error('broken')
      if (script.removal !== undefined) io.removal?.(script.removal())
      if (script.lasts !== undefined) await script.lasts(io.signal)
      return end
    },
  }
  const workshop: AttemptsWorkshop = {
    blobs: memoryBlobs(),
    builder: FACTS.digest,
    architecture: 'amd64',
    slots: 1,
    folder,
    sandboxTree: [],
    sandbox: () => sandbox,
    record: async () => proxy('live'),
    replay: () => proxy('replay'),
    gather: async () => o.gather ?? [],
    misdescribed: o.misdescribed ?? (async () => []),
  }
  const result = await runAttempts(workshop, {
    source: async function* () {
      yield new Uint8Array(1024)
    },
    reading: READING,
    profiles: [],
    attempts: o.attempts ?? 2,
    lock: o.lock ?? null,
    emit: (event) => events.push(event),
    signal: o.signal ?? new AbortController().signal,
  })
  return { ...result, events, modes }
}

function verdictOf({ results }: Run, claim?: string): string | null {
  const attempts = results.map(({ attempt }) => attempt)
  const between = compareAttempts(attempts)
  if (claim === undefined) return decideCheck({ recipeFindings: [], attempts, comparisons: between }).verdict
  const claims = [{ kind: 'file' as const, name: null, sha256: parseSha256(claim), location: null }]
  const comparisons = [...between, ...compareWithClaims(claims, attempts)]
  return decideVerification({ recipeFindings: [], attempts, comparisons, claims }).verdict
}

const outcomes = ({ results }: Run): (string | null)[] => results.map(({ attempt }) => attempt.limit ?? attempt.outcome)
// printf bits | sha256sum
const BITS = '5a3a5c31a5b9b3a8d5d7d7b4b5c8c1e0f6f6b0b3c8a0a0a0a0a0a0a0a0a0a0a0'

describe('the way of the attempts', () => {
  it('records one live and replays it', async () => {
    const ran = await run([built('bits'), built('bits')])
    expect(ran.modes).toEqual(['live', 'replay'])
    expect(outcomes(ran)).toEqual(['built', 'built'])
    expect(verdictOf(ran)).toBe('repeatable')
    const digest = ran.results[0]?.attempt.artifacts[0]?.sha256 ?? ''
    expect(verdictOf(ran, digest)).toBe('reproduced')
    expect(verdictOf(ran, BITS)).toBe('mismatch')
  })

  it("replays a publisher's lock in every attempt", async () => {
    expect((await run([built('bits'), built('bits')], { lock: LOCK })).modes).toEqual(['replay', 'replay'])
  })

  it('tells attempts that differ', async () => {
    expect(verdictOf(await run([built('bits'), built('bots')]))).toBe('nondeterministic')
  })

  it('tries a failing build again, to tell a broken recipe from a flaky one', async () => {
    const failing: Script = { end: { kind: 'finished', exit: 1, usage: USAGE } }
    expect(verdictOf(await run([failing, failing]))).toBe('build-failed')
    expect(verdictOf(await run([failing, built('bits')]))).toBe('nondeterministic')
  })

  it('tries what the infrastructure ended again, and keeps that visible', async () => {
    const lost: Script = { end: { kind: 'lost', supervisorBroken: false } }
    const ran = await run([lost, built('bits'), built('bits')])
    expect(ran.modes).toEqual(['live', 'live', 'replay'])
    expect(ran.results[0]?.attempt).toMatchObject({ outcome: 'built', retried: [{ code: 'container-lost' }] })
    expect(verdictOf(ran)).toBe('repeatable')
  })

  it('keeps no files of a try that is made again', async () => {
    const lost: Script = { ...built('bits'), breaks: true }
    const ran = await run([lost, built('bits')], { attempts: 1 })
    expect(ran.results[0]?.attempt).toMatchObject({ outcome: 'built', retried: [{ code: 'internal' }] })
    expect(await readdir(folder)).toEqual(['attempt-1-1'])
  })

  it('gives up after bounded retries, without a verdict on the image', async () => {
    const lost: Script = { fails: new Failure({ code: 'engine-unreachable', message: 'm', hint: 'h' }) }
    const ran = await run([lost, lost, lost, lost, lost])
    expect(ran.modes).toEqual(['live', 'live', 'live'])
    expect(verdictOf(ran)).toBe('undecided')
  }, 15_000)

  it('never tries a mismatch, a limit or a refused output again', async () => {
    const limit: Script = { end: { kind: 'limit', limit: 'memory', usage: null } }
    expect((await run([limit, built('bits')])).modes).toEqual(['live'])
  })

  it('names an input of the lock that cannot be had, and builds nothing', async () => {
    const gone: InputFailure = { code: 'input-differs', archive: 'debian', path: 'pool/a.deb', expected: 'x', actual: 'y', message: 'm' }
    const ran = await run([], { lock: LOCK, gather: [gone] })
    expect(ran.modes).toEqual([])
    expect(ran.results[0]?.attempt).toMatchObject({
      outcome: 'input-differs',
      reason: { code: 'input-differs', data: { path: 'pool/a.deb', expected: 'x', actual: 'y' } },
    })
    expect(verdictOf(ran)).toBe('undecided')
  })

  it('names the limit where a lock asks for more than a build may have', async () => {
    const much: InputFailure = { code: 'network-limit', archive: 'debian', path: 'pool/a.deb', expected: 'x', actual: null, message: 'm' }
    const ran = await run([], { lock: LOCK, gather: [much] })
    expect(ran.results[0]?.attempt).toMatchObject({ outcome: 'limit', limit: 'network', reason: { code: 'limit-network' } })
  })

  const untrue: InputFailure = { code: 'input-differs', archive: 'debian', path: 'pool/a.deb', expected: 'x', actual: null, message: 'm' }

  it('counts no build of a lock that says of its inputs what is not so', async () => {
    const ran = await run([built('bits'), built('bits')], { lock: LOCK, misdescribed: async () => [untrue] })
    expect(outcomes(ran)).toEqual(['input-differs'])
    expect(verdictOf(ran)).toBe('undecided')
  })

  it('ends the builds of such a lock when it is known', async () => {
    const { promise: building, resolve: begun } = Promise.withResolvers<void>()
    const lasts = async (signal: AbortSignal): Promise<void> => {
      begun()
      if (!signal.aborted) await once(signal, 'abort')
    }
    const misdescribed = async (): Promise<InputFailure[]> => {
      await building
      return [untrue]
    }
    expect(outcomes(await run([{ ...built('bits'), lasts }], { lock: LOCK, misdescribed }))).toEqual(['input-differs'])
  })

  it('ends them, and fails, where that cannot be found out', async () => {
    const lasts = async (signal: AbortSignal): Promise<void> => {
      if (!signal.aborted) await once(signal, 'abort')
    }
    const misdescribed = (): Promise<never> => Promise.reject(new Error('the store is gone'))
    await expect(run([{ ...built('bits'), lasts }], { lock: LOCK, misdescribed })).rejects.toThrow('the store is gone')
  })

  it('waits for the removal of the container, which goes on beside the digests', async () => {
    let removed = false
    const removal = async (): Promise<void> => {
      await sleep(50)
      removed = true
    }
    expect(outcomes(await run([{ ...built('bits'), removal }], { attempts: 1 }))).toEqual(['built'])
    expect(removed).toBe(true)
  })

  it('tries again where the container could not be removed', async () => {
    const removal = (): Promise<void> => Promise.reject(new Failure({ code: 'engine-unreachable', message: 'm', hint: 'h' }))
    const ran = await run([{ ...built('bits'), removal }, built('bits')], { attempts: 1 })
    expect(ran.results[0]?.attempt).toMatchObject({ outcome: 'built', retried: [{ code: 'engine-unreachable' }] })
  })

  it('gives the missing input as the reason, whatever the output is', async () => {
    const ran = await run([{ ...built('bits'), summary: {}, missing: [untrue] }], { attempts: 1 })
    expect(outcomes(ran)).toEqual(['input-differs'])
  })
})

describe('the tar of a build', () => {
  const SUMMARY_OF_TAR = { Images: [{ Image: null, Output: 'image', Format: 'tar' }] }
  const tar = rawTar(rawMember({ name: 'a' }, 'bits'), rawMember({ name: 'b' }, 'x'.repeat(700 << 10)))
  const ofTar = (content: Uint8Array, name = 'image.tar'): Script => ({
    summary: SUMMARY_OF_TAR,
    outputs: [{ name, type: 'file', size: content.length, content }],
  })
  const artifactOf = async (script: Script) => {
    const ran = await run([script], { attempts: 1 })
    expect(outcomes(ran)).toEqual(['built'])
    const [result] = ran.results
    const [artifact] = result?.attempt.artifacts ?? []
    return { artifact, bytes: await readFile(result?.files.get(artifact?.name ?? '') ?? '') }
  }

  it('has the digest of its canonical form, and is kept in it', async () => {
    const { artifact, bytes } = await artifactOf(ofTar(tar))
    expect(artifact).toMatchObject({ sha256: createHash('sha256').update(bytes).digest('hex'), written: { compression: 'none' } })
    expect(artifact?.written).toMatchObject({ sha256: createHash('sha256').update(tar).digest('hex'), size: tar.length })
  })

  it('is the same where it turns out to be compressed, whatever its name', async () => {
    const plain = await artifactOf(ofTar(tar))
    for (const name of ['image.tar', 'image.tar.gz']) {
      const { artifact, bytes } = await artifactOf(ofTar(gzipSync(tar), name))
      expect(artifact).toMatchObject({ sha256: plain.artifact?.sha256, written: { name, compression: 'gzip' } })
      expect(bytes.equals(plain.bytes)).toBe(true)
    }
  })

  it('is refused where it is none', async () => {
    const ran = await run([ofTar(tar.subarray(0, 400 << 10))])
    expect(ran.results[0]?.attempt).toMatchObject({ outcome: 'build-failed', reason: { code: 'tar-truncated' } })
  })

  it('is left alone where its bytes break off', async () => {
    const broken: Script = { ...ofTar(tar), breaksOff: true }
    const ran = await run([broken, ofTar(tar)], { attempts: 1 })
    expect(ran.results[0]?.attempt).toMatchObject({ outcome: 'built', retried: [{ code: 'internal' }] })
    expect(await readdir(folder)).toEqual(['attempt-1-1'])
  })
})

/** What is small as it lies in the output folder and large once it is unpacked. */
describe('an output that grows', () => {
  const grown = { outcome: 'limit', limit: 'output-size' }

  it.each([
    ['a compressed disk', 'image.raw.gz', 'disk', () => gzipSync(Buffer.alloc(2 << 20))],
    ['a tar of a file with holes', 'image.tar', 'tar', () => tarOfHoles(2 << 20)],
    ['a compressed tar', 'image.tar.gz', 'tar', () => gzipSync(tarOfHoles(2 << 20))],
  ])('is the limit of the output: %s', async (_, name, format, make) => {
    const content = make()
    expect(content.length).toBeLessThan(1 << 20)
    const summary = { Images: [{ Image: null, Output: 'image', Format: format }] }
    const ran = await run([{ summary, outputs: [{ name, type: 'file', size: content.length, content }] }])
    expect(ran.results.map(({ attempt }) => attempt)).toMatchObject([grown])
    expect(decideCheck({ recipeFindings: [], attempts: ran.results.map(({ attempt }) => attempt), comparisons: [] }).verdict).toBe(
      'build-failed',
    )
  })

  it('counts together with the others', async () => {
    const images = ['a', 'b'].map((Output) => ({ Image: Output === 'a' ? null : Output, Output, Format: 'disk' }))
    const content = gzipSync(Buffer.alloc(600 << 10))
    const outputs = ['a.raw.gz', 'b.raw.gz'].map((name) => ({ name, type: 'file' as const, size: content.length, content }))
    const ran = await run([{ summary: { Images: images }, outputs }])
    expect(ran.results.map(({ attempt }) => attempt)).toMatchObject([grown])
  })

  function tarOfHoles(size: number): Buffer {
    const at = path.join(folder, 'holes')
    closeSync(openSync(at, 'w'))
    truncateSync(at, size)
    const options = [
      '--create',
      '--format=pax',
      '--sparse',
      '--pax-option=delete=atime,delete=ctime',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
    ]
    const { stdout } = spawnSync('tar', [...options, `--directory=${folder}`, '--file=-', 'holes'])
    rmSync(at)
    return stdout
  }
})

describe('the ending of an attempt', () => {
  const input = (code: InputFailure['code']): InputFailure => ({
    code,
    archive: 'debian',
    path: 'p',
    expected: null,
    actual: null,
    message: 'm',
  })
  const exit: SandboxEnd = { kind: 'finished', exit: 1, usage: USAGE }

  it.each<[string, Script, string, string]>([
    ['a failing build', { end: exit }, 'build-failed', 'build-failed'],
    ['a failing build that missed an input', { end: exit, missing: [input('input-unavailable')] }, 'input-unavailable', 'undecided'],
    ['a failing build whose input was damaged', { end: exit, missing: [input('input-differs')] }, 'input-differs', 'undecided'],
    ['a failing build that asked for what it may not', { end: exit, missing: [input('input-refused')] }, 'build-failed', 'build-failed'],
    ['a failing build that asked for too much', { end: exit, missing: [input('network-limit')] }, 'network', 'build-failed'],
    ['a build that did not need the input that it missed', { ...built('b'), missing: [input('input-unavailable')] }, 'built', 'undecided'],
    ['a build from an input that is not of the lock', { ...built('b'), missing: [input('input-differs')] }, 'input-differs', 'undecided'],
    ['a limit', { end: { kind: 'limit', limit: 'disk', usage: null } }, 'disk', 'build-failed'],
    ['a recipe that breaks its supervisor', { end: { kind: 'lost', supervisorBroken: true } }, 'build-failed', 'build-failed'],
    ['no output', { outputs: [] }, 'build-failed', 'build-failed'],
    [
      'a folder where a file is expected',
      { outputs: [{ name: 'image.raw', type: 'tree', size: 0, content: '' }] },
      'build-failed',
      'build-failed',
    ],
    [
      'an output under another name',
      { outputs: [{ name: 'other.raw', type: 'file', size: 1, content: 'x' }] },
      'build-failed',
      'build-failed',
    ],
    ['no summary', { ...built('b'), summary: undefined }, 'build-failed', 'build-failed'],
  ])('of %s', async (_, script, outcome, verdict) => {
    const ran = await run([script, script], { attempts: 1 })
    expect(outcomes(ran)).toEqual([outcome])
    expect(ran.results[0]?.attempt.artifacts.length).toBe(outcome === 'built' ? 1 : 0)
    expect(verdictOf(ran)).toBe(verdict)
  })

  it('is cancelled where the caller said so, and has no verdict', async () => {
    const ran = await run([{ end: { kind: 'cancelled' } }])
    expect(outcomes(ran)).toEqual(['cancelled'])
    expect(verdictOf(ran)).toBeNull()
  })

  it('is told by what failed first, not by the cleaning up that failed as well', async () => {
    const failure = (code: string): Failure => new Failure({ code, message: 'm', hint: 'h' })
    const fails = new SuppressedError(failure('engine-unreachable'), failure('engine-create-failed'))
    const ran = await run([{ fails }, { fails }, { fails }])
    expect(ran.results[0]?.attempt).toMatchObject({ outcome: 'infrastructure', reason: { code: 'engine-create-failed' } })
  }, 15_000)

  it("never carries a stranger's text", async () => {
    const ran = await run([{ fails: new Error('secret-token at /root') }, { fails: new Error('x') }, { fails: new Error('y') }])
    expect(JSON.stringify(ran.results)).not.toContain('secret-token')
    expect(ran.results[0]?.attempt.reason?.code).toBe('internal')
  }, 15_000)
})

describe('what counts as an artifact', () => {
  const file = (name: string, content: string): OutputEntry & { content: string } => ({ name, type: 'file', size: content.length, content })
  const names = ({ results }: Run): (string[] | undefined)[] => results.map(({ attempt }) => attempt.artifacts.map(({ name }) => name))

  it('is the image and what mkosi splits off it, and no other file that a script could have put there', async () => {
    const script = {
      outputs: [
        file('image.raw', 'a'),
        file('image.vmlinuz', 'b'),
        file('image.blob', 'c'),
        file('other.efi', 'd'),
        file('image.manifest', 'e'),
      ],
    }
    expect(names(await run([script], { attempts: 1 }))).toEqual([['image.raw', 'image.vmlinuz']])
  })

  it('is nothing beside an image that is no disk', async () => {
    const script = {
      outputs: [file('image.cpio', 'a'), file('image.vmlinuz', 'b')],
      summary: { Images: [{ Output: 'image', Format: 'cpio' }] },
    }
    expect(names(await run([script], { attempts: 1 }))).toEqual([['image.cpio']])
  })

  it('is refused where two images have one name', async () => {
    const image = { Output: 'image', Format: 'disk' }
    const ran = await run([{ ...built('b'), summary: { Images: [image, { ...image, Image: 'second' }] } }], { attempts: 1 })
    expect(ran.results[0]?.attempt.reason?.code).toBe('output-ambiguous')
  })

  it('is refused where it lies there compressed and not', async () => {
    const ran = await run([{ outputs: [file('image.raw', 'a'), file('image.raw.zst', 'b')], summary: SUMMARY }], { attempts: 1 })
    expect(ran.results[0]?.attempt.reason?.code).toBe('output-ambiguous')
  })
})

describe('what is told meanwhile', () => {
  it('numbers events from one, each stage begun before it ends', async () => {
    const { events } = await run([built('bits'), built('bits')])
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    const stages = events.flatMap((event) => (event.kind === 'stage-ended' && event.attempt === 1 ? [event.stage] : []))
    expect(stages).toEqual(['start', 'source', 'build', 'collect', 'compare'])
  })

  it('makes what a terminal would obey visible in log lines', async () => {
    const { events } = await run([built('bits'), built('bits')])
    const lines = events.flatMap((event) => (event.kind === 'log' && event.attempt === 1 ? [event.line] : []))
    expect(lines).toEqual(['a line', 'an \\x1b[31mescape'])
  })

  it('leaves the artifact where the result says', async () => {
    const { results } = await run([built('bits'), built('bits')])
    expect(await readFile(results[1]?.files.get('image.raw') ?? '', 'utf8')).toBe('bits')
  })
})
