import { Duplex } from 'node:stream'
import { expect, it } from 'vitest'
import type { Job, SandboxIo } from '../sandbox.ts'
import type { SandboxSettings } from './container-spec.ts'
import { Conversation } from './conversation.ts'
import { encodeFrame } from './frames.ts'

const JOB: Job = { command: [], summary: [], environment: {}, sandboxTree: [] }
const SETTINGS: SandboxSettings = {
  limits: { seconds: 60, memoryBytes: 1, processes: 1, diskBytes: 1, outputBytes: 1000, logBytes: 1000, cpus: 1 },
  workspace: 'tmpfs',
  apparmor: null,
  seccomp: '{}',
}

/** What comes out of a container, as the engine passes it on, and what our side makes of it. */
async function told(...frames: readonly Buffer[]) {
  const stages: string[] = []
  const outputs: string[] = []
  let sources = 0
  const io: SandboxIo = {
    source: async function* () {
      sources += 1
      yield* []
    },
    accept: () => {},
    summary: () => {},
    output: async ({ name }, bytes) => {
      outputs.push(`${name}: ${Buffer.concat(await Array.fromAsync(bytes)).toString()}`)
    },
    log: () => {},
    stage: (stage) => stages.push(stage),
    signal: new AbortController().signal,
  }
  const stream = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() })
  const conversation = new Conversation(stream, JOB, io, SETTINGS)
  for (const frame of frames) stream.push(Buffer.concat([Buffer.of(1, 0, 0, 0), length(frame), frame]))
  stream.push(null)
  const stop = await conversation.finished()
  await conversation.close()
  return { stop, stages, outputs, sources }
}

function length(frame: Buffer): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(frame.length)
  return bytes
}

const event = (value: unknown): Buffer => encodeFrame('E', 0, Buffer.from(JSON.stringify(value)))
const READY = encodeFrame('A')
const output = (index: number): Buffer[] => [
  event({ kind: 'output', index, name: `o${index}`, type: 'file', size: 1 }),
  encodeFrame('T', index, Buffer.from('x')),
  encodeFrame('T', index),
  event({ kind: 'output-end', index, exit: 0 }),
]

it('takes 64 outputs, each with its bytes', async () => {
  const indexes = Array.from({ length: 64 }, (_, index) => index)
  const { stop, stages, outputs, sources } = await told(
    READY,
    event({ kind: 'build' }),
    event({ kind: 'collect', summary: null }),
    ...indexes.flatMap(output),
  )
  expect({ stop, stages, outputs, sources }).toEqual({
    stop: { kind: 'closed' },
    stages: ['source', 'build', 'collect'],
    outputs: indexes.map((index) => `o${index}: x`),
    sources: 1,
  })
})

it('hands out the source once, however often a container says that it is ready', async () => {
  expect(await told(READY, READY, READY)).toMatchObject({ stop: { kind: 'closed' }, stages: ['source'], sources: 1 })
})

it('hears of no more stages and outputs than a build has', async () => {
  const { stages } = await told(READY, ...Array.from({ length: 5000 }, () => event({ kind: 'build' })))
  expect(stages.length).toBeLessThan(300)
  const { outputs } = await told(READY, ...Array.from({ length: 5000 }, () => output(0)).flat())
  expect(outputs.length).toBeLessThan(300)
})
