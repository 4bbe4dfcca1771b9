import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { partsOfBuilder } from '../../verifier/builder/image-check.ts'
import { type BuilderImage, encodeBuilder } from '../../verifier/builder/image-description.ts'
import type { InputFailure, InputProxy } from '../../verifier/builder/inputs/input-proxy.ts'
import { type MemoryBlobs, memoryBlobs } from '../../verifier/builder/inputs/testing/memory-blobs.ts'
import type { Sandbox } from '../../verifier/builder/sandbox.ts'
import { smallBuilder } from '../../verifier/builder/testing/small-builder.ts'
import type { SandboxFacts } from '../../verifier/model/attempt.ts'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import type { EventBody } from '../../verifier/model/event.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { encodeLock, type InputLock } from '../../verifier/model/lock.ts'
import { pinSource } from '../../verifier/source/pin-source.ts'
import { OWN_ACCESS } from '../../verifier/source/source-ref.ts'
import { tar } from '../../verifier/source/testing/tar.ts'
import type { JobRun } from './service/run-job.ts'
import type { WorkerJob } from './service/worker-protocol.ts'
import { type WorkPorts, workAttempt } from './work-attempt.ts'

const FACTS: SandboxFacts = {
  profile: 'test/v1',
  digest: Sha256.parse('a'.repeat(64)),
  isolation: 'shared-kernel',
  apparmor: 'absent',
  workspace: 'tmpfs',
}
const CONF = '[Distribution]\nDistribution=custom\n\n[Output]\nFormat=disk\n'
const ID = '019c0000-0000-7000-8000-000000000000'
const HOSTILE = '[Distribution]\nDistribution=custom\n\n[Build]\nExtraSearchPaths=/usr/local/bin\n'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'work-attempt-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const one = (bytes: string | Uint8Array) =>
  (async function* () {
    yield Buffer.from(bytes)
  })()
const put = async (blobs: BlobStore, bytes: string | Uint8Array): Promise<Sha256> => (await blobs.put(one(bytes))).sha256

/** What a coordinator has, what the worker has, and which builders it knows. */
class Scene {
  readonly there = memoryBlobs()
  readonly here = memoryBlobs()
  readonly builders: BuilderImage[] = []
  readonly fetched: Sha256[] = []
  readonly events: EventBody[] = []
  readonly asked: string[] = []
  made: BuilderImage | undefined
  gone: readonly InputFailure[] = []

  async source(conf = CONF): Promise<WorkerJob['source']> {
    const file = path.join(folder, 'given.tar')
    await writeFile(file, tar({ path: '.', type: 'directory' }, { path: 'mkosi.conf', body: conf }))
    await using pinned = await pinSource({ kind: 'archive', file, path: '.' }, { scratch: folder, access: OWN_ACCESS })
    return { pinned: pinned.pinned, tar: (await this.there.put(pinned.tar())).sha256 }
  }

  async job(change: Partial<WorkerJob> = {}): Promise<WorkerJob> {
    return {
      schema: 'bitwitness/worker-job/v1',
      attempt: { id: ID, verificationId: ID, number: 1, mode: change.lock == null ? 'live' : 'replay' },
      lease: ID,
      expiresAt: '2026-01-01T00:00:00Z',
      heartbeatSeconds: 10,
      source: await this.source(),
      lock: null,
      builder: null,
      retried: [],
      ...change,
    }
  }

  ports(): WorkPorts {
    const proxy = (mode: string): InputProxy => {
      this.asked.push(mode)
      return {
        accept: () => {},
        listen: () => Promise.reject(new Error('unused')),
        finish: async () => lockOf([]),
        served: () => false,
        failures: () => [],
        stats: () => ({ requests: 0, bytes: 0 }),
        [Symbol.asyncDispose]: async () => {},
      }
    }
    return {
      blobs: this.here,
      scratch: async () => {
        const made = await mkdtemp(path.join(folder, 'scratch-'))
        return { path: made, [Symbol.asyncDispose]: () => rm(made, { recursive: true, force: true }) }
      },
      sandbox: () => sandbox,
      record: async () => proxy('record'),
      replay: () => proxy('replay'),
      gather: async () => this.gone,
      misdescribed: async () => [],
      pinArchive: (file, scratch, signal) => pinSource({ kind: 'archive', file, path: '.' }, { scratch, signal, access: OWN_ACCESS }),
      findBuilder: async (digest) => this.builders.find((known) => known.digest === digest),
      keepBuilder: async (image) => void this.builders.push(image),
      defaultBuilder: async () => {
        this.made ??= (await smallBuilder('default')).builder
        return this.made
      },
      readyBuilder: async ({ digest, mkosi, architecture }) => ({ digest, mkosi, architecture, image: 'image' }),
    }
  }

  async run(job: WorkerJob): Promise<JobRun> {
    const fetch = async (digests: readonly Sha256[], into: BlobStore): Promise<void> => {
      for (const sha256 of digests) {
        this.fetched.push(sha256)
        await into.put(await this.there.open(sha256), sha256)
      }
    }
    const missing = async (_: string, { digests }: { digests: Sha256[] }): Promise<readonly Sha256[]> =>
      digests.filter((sha256) => !this.there.bytes.has(sha256))
    return await workAttempt(this.ports())(job, {
      coordinator: { fetch, missing },
      emit: (event) => this.events.push(event),
      signal: new AbortController().signal,
    })
  }
}

const sandbox: Sandbox = {
  facts: FACTS,
  outputBytes: 1 << 20,
  async run(_job, io) {
    io.stage('source')
    io.stage('build')
    io.log(Buffer.from('a line\n'))
    io.stage('collect')
    io.summary({ Images: [{ Image: null, Output: 'image', Format: 'disk' }] })
    await io.output({ name: 'image.raw', type: 'file', size: 4 }, one('bits'))
    return { kind: 'finished', exit: 0, usage: { cpuMs: 1, peakMemoryBytes: 1 } }
  },
}

function lockOf(inputs: InputLock['inputs']): InputLock {
  return { schema: 'bitwitness/input-lock/v1', architecture: 'amd64', snapshot: null, inputs, absent: [] }
}

const codeOf = (doing: Promise<unknown>): Promise<unknown> =>
  doing.then(
    () => 'taken',
    (error: unknown) => (error instanceof Failure ? error.code : error),
  )

describe('an attempt of a coordinator’s', () => {
  it('is built from its source, its inputs recorded, in the builder of this machine', async () => {
    const scene = new Scene()
    const job = await scene.job()
    {
      await using run = await scene.run(job)
      expect(run.attempt).toMatchObject({ number: 1, mode: 'live', outcome: 'built', builder: scene.made?.digest })
      expect([run.treeDigest, run.builder?.image]).toEqual([job.source.pinned.treeDigest, scene.made])
      expect(String(scene.here.bytes.get(run.builder?.description ?? ''))).toBe(encodeBuilder(scene.made ?? ({} as BuilderImage)))
      expect([...run.files.keys()]).toEqual(['image.raw'])
      expect(scene.asked).toEqual(['record'])
    }
    expect((await readdir(folder)).filter((name) => name.startsWith('scratch-'))).toEqual([])
    expect(scene.events.filter(({ kind }) => kind === 'stage-ended').map((event) => 'stage' in event && event.stage)).toEqual(
      'pin builder recipe start source build collect compare'.split(' '),
    )
  })

  it('is not built where the source is another one than the job names', async () => {
    const scene = new Scene()
    const job = await scene.job()
    const other = await scene.source('[Distribution]\nDistribution=custom\n\n[Output]\nFormat=tar\n')
    expect(await codeOf(scene.run({ ...job, source: { ...job.source, tar: other.tar } }))).toBe('source-of-another-job')
    expect((await readdir(folder)).filter((name) => name.startsWith('scratch-'))).toEqual([])
  })

  it('is not built where a rule of this machine’s version refuses the recipe', async () => {
    const scene = new Scene()
    expect(await codeOf(scene.run({ ...(await scene.job()), source: await scene.source(HOSTILE) }))).toBe('recipe-refused-here')
    expect(scene.asked).toEqual([])
  })
})

describe('the builder that a job names', () => {
  const given = async (scene: Scene, seed: string, spoil: (there: MemoryBlobs, image: BuilderImage) => void = () => {}) => {
    const { builder, blobs } = await smallBuilder(seed)
    for (const [sha256, bytes] of blobs.bytes) scene.there.bytes.set(sha256, bytes)
    const description = await put(scene.there, encodeBuilder(builder))
    spoil(scene.there, builder)
    return { image: builder, named: { digest: builder.digest, description } }
  }

  it('is taken from the coordinator where it is not here, and kept as one that came from elsewhere', async () => {
    const scene = new Scene()
    const { image, named } = await given(scene, 'theirs')
    await using run = await scene.run(await scene.job({ builder: named }))
    expect([run.attempt.builder, run.builder]).toEqual([image.digest, { image, description: named.description }])
    expect(scene.builders).toEqual([image])
    expect(scene.fetched).toEqual(expect.arrayContaining([named.description, ...partsOfBuilder(image)]))
    scene.fetched.length = 0
    await using again = await scene.run(await scene.job({ builder: named }))
    expect(again.attempt.builder).toBe(image.digest)
    expect(scene.fetched).toHaveLength(1)
  })

  it('is not taken where it is not what it is said to be', async () => {
    const cases: [string, (there: MemoryBlobs, image: BuilderImage) => void][] = [
      ['blob-missing', (there, { layer }) => void there.bytes.delete(layer.sha256)],
      ['blob-damaged', (there, { lock }) => void there.bytes.set(lock, Buffer.from('another lock'))],
    ]
    for (const [code, spoil] of cases) {
      const scene = new Scene()
      const { named } = await given(scene, 'theirs', spoil)
      expect(await codeOf(scene.run(await scene.job({ builder: named })))).toBe(code)
      expect(scene.builders).toEqual([])
    }
  })

  it('is not taken under the digest of another, nor where nobody has it', async () => {
    const scene = new Scene()
    const [theirs, other] = [await given(scene, 'theirs'), await given(scene, 'other')]
    const crossed = { digest: theirs.named.digest, description: other.named.description }
    expect(await codeOf(scene.run(await scene.job({ builder: crossed })))).toBe('builder-not-given')
    expect(await codeOf(scene.run(await scene.job({ builder: { digest: theirs.named.digest, description: null } })))).toBe(
      'builder-not-given',
    )
    expect(scene.builders).toEqual([])
  })
})

describe('the lock that a job names', () => {
  const deb = (text: string, name: string): [string, InputLock['inputs'][number]] => [
    text,
    {
      kind: 'package',
      archive: 'debian',
      path: `pool/${name}.deb`,
      sha256: Sha256.parse('0'.repeat(64)),
      size: text.length,
      name,
      version: '1',
      architecture: 'all',
    },
  ]
  const lockIn = async (scene: Scene, ...debs: ReturnType<typeof deb>[]): Promise<{ lock: Sha256; inputs: Sha256[] }> => {
    const inputs: InputLock['inputs'] = []
    for (const [text, input] of debs) inputs.push({ ...input, sha256: await put(scene.there, text) })
    return { lock: await put(scene.there, encodeLock(lockOf(inputs))), inputs: inputs.map(({ sha256 }) => sha256) }
  }

  it('is replayed, with the inputs that the coordinator has and this machine lacks', async () => {
    const scene = new Scene()
    const { lock, inputs } = await lockIn(scene, deb('one', 'a'), deb('two', 'b'), deb('three', 'c'))
    await put(scene.here, 'one')
    scene.there.bytes.delete(inputs[1] ?? '')
    await using run = await scene.run(await scene.job({ lock }))
    expect([run.attempt.mode, run.attempt.outcome, scene.asked]).toEqual(['replay', 'built', ['replay']])
    // The first is here, the second nowhere but on mirrors.
    expect(scene.fetched.filter((sha256) => inputs.includes(sha256))).toEqual([inputs[2]])
  })

  it('is not built from where its inputs cannot be had', async () => {
    const scene = new Scene()
    const { lock } = await lockIn(scene)
    scene.gone = [{ code: 'input-unavailable', archive: 'debian', path: 'p', expected: 'x', actual: null, message: 'm' }]
    await using run = await scene.run(await scene.job({ lock }))
    expect(run.attempt).toMatchObject({ outcome: 'input-unavailable', mode: 'replay', lock: null, builder: scene.made?.digest })
    expect(scene.asked).toEqual([])
  })

  it('is one, byte for byte as Bitwitness writes it', async () => {
    const scene = new Scene()
    const lock = await put(scene.there, JSON.stringify(lockOf([])))
    expect(await codeOf(scene.run(await scene.job({ lock })))).toBe('input-lock-malformed')
  })
})
