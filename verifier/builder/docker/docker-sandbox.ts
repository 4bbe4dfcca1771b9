import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { z } from 'zod'
import type { LimitKind, SandboxFacts } from '../../model/attempt.ts'
import type { Job, OutputEntry, Sandbox, SandboxEnd, SandboxIo, Usage } from '../sandbox.ts'
import { containerSpec, type SandboxSettings, sandboxFacts } from './container-spec.ts'
import type { DockerEngine } from './engine.ts'
import { DockerDemultiplexer, encodeFrame, type Frame, FrameReader, TunnelledConnection } from './frames.ts'
import { OutputQueue } from './output-queue.ts'

/** What the agent says at the end. It comes out of a hostile place: it decides nothing but which reason we give. */
const AgentResult = z.object({
  exit: z.int().nullable(),
  full: z.boolean(),
  cpuMs: z.number().nonnegative(),
  peakMemoryBytes: z.number().nonnegative(),
  oomKills: z.number().nonnegative(),
  forksDenied: z.number().nonnegative(),
})
type AgentResult = z.infer<typeof AgentResult>

const AgentEvent = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('build') }),
  z.object({ kind: z.literal('collect'), summary: z.unknown() }),
  z.object({
    kind: z.literal('output'),
    index: z.int().nonnegative().max(64),
    name: z.string().max(1024),
    type: z.enum(['file', 'tree', 'other']),
    // A file of holes may say more than an integer holds; what counts is what comes.
    size: z.number().nonnegative(),
  }),
])

const CHUNK = 1 << 20
/** How long a finished or killed container may take to be seen as ended, ms. */
const GRACE = 30_000

export type DockerSandboxOptions = {
  readonly engine: DockerEngine
  readonly image: string
  readonly settings: SandboxSettings
  /** In cpuset notation. */
  readonly cpuset: string
}

/** Runs one job in one container of a Docker engine. */
export class DockerSandbox implements Sandbox {
  readonly facts: SandboxFacts
  readonly outputBytes: number
  readonly #options: DockerSandboxOptions

  constructor(options: DockerSandboxOptions) {
    this.#options = options
    this.facts = sandboxFacts(options.settings)
    this.outputBytes = options.settings.limits.outputBytes
  }

  async run(job: Job, io: SandboxIo): Promise<SandboxEnd> {
    const { engine, settings } = this.#options
    if (io.signal.aborted) return { kind: 'cancelled' }
    const name = `bitwitness-${randomUUID()}`
    const volume = settings.workspace === 'volume' ? name : null
    await using cleanup = new AsyncDisposableStack()
    if (volume !== null) {
      cleanup.defer(() => engine.gone(() => engine.client.getVolume(volume).remove({ force: true })))
      await engine.asking('engine-create-failed', () => engine.client.createVolume({ Name: volume, Labels: { ...engine.labels } }))
    }
    const container = engine.client.getContainer(name)
    cleanup.defer(() => engine.gone(() => container.remove({ force: true, v: true })))
    const spec = containerSpec(settings, { image: this.#options.image, labels: engine.labels, cpuset: this.#options.cpuset, volume })
    await engine.asking('engine-create-failed', () => engine.client.createContainer({ ...spec, name }))
    const stream = await engine.asking('engine-start-failed', () =>
      container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true }),
    )
    const conversation = new Conversation(stream as Duplex, job, io, settings)
    cleanup.defer(() => conversation.close())
    await engine.asking('engine-start-failed', () => container.start())
    const stop = await conversation.finished()
    if (stop.kind !== 'closed') return await afterStop(stop)
    return await this.#examine(container, conversation)
  }

  /** The stream is over: a result makes sense of it, or the engine's own record does. */
  async #examine(container: ReturnType<DockerEngine['client']['getContainer']>, conversation: Conversation): Promise<SandboxEnd> {
    const result = conversation.result
    if (result !== undefined) {
      const usage: Usage = { cpuMs: result.cpuMs, peakMemoryBytes: result.peakMemoryBytes }
      if (result.exit === 0) return conversation.outputComplete ? { kind: 'finished', exit: 0, usage } : LOST
      const limit = limitBehind(result)
      if (limit !== null) return { kind: 'limit', limit, usage }
      if (result.exit === null) return { kind: 'source-rejected' }
      return { kind: 'finished', exit: result.exit, usage }
    }
    try {
      await container.wait({ condition: 'not-running', abortSignal: AbortSignal.timeout(GRACE) })
      const { State } = ContainerInspect.parse(await container.inspect())
      if (State.OOMKilled) return { kind: 'limit', limit: 'memory', usage: null }
      return { kind: 'lost', supervisorBroken: State.ExitCode === AGENT_BROKEN }
    } catch {
      return LOST
    }
  }
}

const LOST: SandboxEnd = { kind: 'lost', supervisorBroken: false }
/** Exit code of an agent that failed by an exception; only what runs beside it can bring that about. */
const AGENT_BROKEN = 71
const ContainerInspect = z.object({ State: z.object({ OOMKilled: z.boolean(), ExitCode: z.int() }) })

/** A failed build that hit a bound is said to have hit it; a build that succeeded in spite of one is a success. */
function limitBehind(result: AgentResult): LimitKind | null {
  if (result.oomKills > 0) return 'memory'
  if (result.full) return 'disk'
  if (result.forksDenied > 0) return 'processes'
  return null
}

type Stop =
  | { readonly kind: 'limit'; readonly limit: LimitKind }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'failed'; readonly error: unknown }

async function afterStop(stop: Exclude<Stop, { kind: 'closed' }>): Promise<SandboxEnd> {
  if (stop.kind === 'failed') throw stop.error
  return stop.kind === 'cancelled' ? { kind: 'cancelled' } : { kind: 'limit', limit: stop.limit, usage: null }
}

/** Both directions of one attached container. Ends at the first of: end of stream, a limit, cancellation, a failure on our side. */
class Conversation {
  result: AgentResult | undefined
  readonly #stream: Duplex
  readonly #job: Job
  readonly #io: SandboxIo
  readonly #settings: SandboxSettings
  readonly #frames = new FrameReader('T')
  readonly #docker = new DockerDemultiplexer()
  readonly #connections = new Map<number, TunnelledConnection>()
  #output: { readonly index: number; readonly queue: OutputQueue } | undefined
  #outputDone: Promise<void> | undefined
  #brokenOff = false
  #outputBytes = 0
  #logBytes = 0
  #stop: (stop: Stop) => void = () => {}
  readonly #stopped: Promise<Stop>
  readonly #timer: NodeJS.Timeout
  readonly #onAbort = (): void => this.#stop({ kind: 'cancelled' })

  constructor(stream: Duplex, job: Job, io: SandboxIo, settings: SandboxSettings) {
    this.#stream = stream
    this.#job = job
    this.#io = io
    this.#settings = settings
    this.#stopped = new Promise((resolve) => {
      this.#stop = resolve
    })
    stream.on('data', (bytes: Buffer) => this.#receive(bytes))
    stream.on('end', () => this.#ended())
    stream.on('close', () => this.#ended())
    stream.on('error', () => this.#ended())
    this.#timer = setTimeout(() => this.#stop({ kind: 'limit', limit: 'time' }), settings.limits.seconds * 1000)
    io.signal.addEventListener('abort', this.#onAbort, { once: true })
    if (io.signal.aborted) this.#onAbort()
  }

  async finished(): Promise<Stop> {
    const stop = await this.#stopped
    if (stop.kind !== 'closed' || this.#outputDone === undefined) return stop
    try {
      await this.#outputDone
      return stop
    } catch (error) {
      // An output that broke off is told by the missing result, not by what its reader made of it.
      return this.#brokenOff ? stop : { kind: 'failed', error }
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#io.signal.removeEventListener('abort', this.#onAbort)
    for (const connection of this.#connections.values()) connection.destroy()
    this.#output?.queue.fail(new Error('the container is gone'))
    this.#stream.destroy()
    await this.#outputDone?.catch(() => {
      // Told by finished() where it matters; after a limit or a cancellation the output is void anyway.
    })
  }

  #ended(): void {
    if (this.#output !== undefined) {
      this.#brokenOff = true
      this.#output.queue.fail(new Error('the output broke off'))
    }
    this.#stop({ kind: 'closed' })
  }

  #receive(bytes: Buffer): void {
    this.#docker.push(bytes, (stream, part) => {
      if (stream === 1) {
        if (!this.#frames.push(part, (frame) => this.#handle(frame))) this.#stop({ kind: 'closed' })
      } else this.#log(part)
    })
  }

  #log(part: Buffer): void {
    this.#logBytes += part.length
    if (this.#logBytes > this.#settings.limits.logBytes) this.#stop({ kind: 'limit', limit: 'log-size' })
    else this.#io.log(part)
  }

  #handle(frame: Frame): void {
    switch (frame.kind) {
      case 'A':
        this.#start().catch((error: unknown) => this.#stop({ kind: 'failed', error }))
        return
      case 'E':
        this.#event(frame.payload)
        return
      case 'O':
        this.#open(frame.channel)
        return
      case 'D':
        this.#connections.get(frame.channel)?.receive(frame.payload)
        return
      case 'H':
        this.#connections.get(frame.channel)?.receiveEnd()
        return
      case 'T':
        this.#takeOutput(frame.channel, frame.payload)
        return
      case 'R':
        this.result = parseResult(frame.payload)
        return
      default:
        this.#stop({ kind: 'closed' })
    }
  }

  async #start(): Promise<void> {
    const { workspace, limits } = this.#settings
    this.#io.stage('source')
    await this.#send('J', 0, Buffer.from(JSON.stringify({ ...this.#job, volumeBytes: workspace === 'volume' ? limits.diskBytes : null })))
    for await (const part of this.#io.source())
      for (let at = 0; at < part.length; at += CHUNK) await this.#send('S', 0, part.subarray(at, at + CHUNK))
    await this.#send('S')
  }

  /** True when the result came and every output that was begun was ended. */
  get outputComplete(): boolean {
    return this.result !== undefined && this.#output === undefined
  }

  #event(payload: Buffer): void {
    const event = AgentEvent.safeParse(parseJson(payload))
    if (!event.success) return
    if (event.data.kind === 'build') this.#io.stage('build')
    else if (event.data.kind === 'collect') {
      this.#io.stage('collect')
      this.#io.summary(event.data.summary ?? undefined)
    } else if (event.data.type !== 'other') this.#beginOutput(event.data)
  }

  #beginOutput(entry: OutputEntry & { readonly index: number }): void {
    if (this.#output !== undefined) {
      this.#stop({ kind: 'closed' })
      return
    }
    const queue = new OutputQueue()
    this.#output = { index: entry.index, queue }
    const before = this.#outputDone ?? Promise.resolve()
    this.#outputDone = this.#inTurn(before, entry, queue)
    this.#outputDone.catch((error: unknown) => this.#stop({ kind: 'failed', error }))
  }

  async #inTurn(before: Promise<void>, { name, type, size }: OutputEntry, queue: OutputQueue): Promise<void> {
    await before
    await this.#io.output({ name, type, size }, queue)
  }

  #open(channel: number): void {
    if (this.#connections.has(channel) || this.#connections.size >= 1024) return
    const connection = new TunnelledConnection(async (kind, payload) => await this.#send(kind, channel, payload))
    this.#connections.set(channel, connection)
    connection.on('close', () => this.#connections.delete(channel))
    connection.on('error', () => this.#connections.delete(channel))
    this.#io.accept(connection)
  }

  #takeOutput(index: number, payload: Buffer): void {
    const output = this.#output
    if (output === undefined || output.index !== index) {
      this.#stop({ kind: 'closed' })
      return
    }
    if (payload.length === 0) {
      this.#output = undefined
      output.queue.end()
      return
    }
    this.#outputBytes += payload.length
    if (this.#outputBytes > this.#settings.limits.outputBytes) {
      this.#stop({ kind: 'limit', limit: 'output-size' })
      return
    }
    // A reader that is slower than the container holds the container back.
    if (output.queue.push(payload)) {
      this.#stream.pause()
      output.queue.drained(() => this.#stream.resume())
    }
  }

  async #send(kind: string, channel = 0, payload?: Uint8Array): Promise<void> {
    if (this.#stream.destroyed || this.#stream.writableEnded) return
    if (!this.#stream.write(encodeFrame(kind, channel, payload))) {
      // A destroyed stream never drains: its close ends the wait as well.
      const settled = new AbortController()
      await Promise.race([once(this.#stream, 'drain', settled), once(this.#stream, 'close', settled)]).finally(() => settled.abort())
    }
  }
}

function parseResult(payload: Buffer): AgentResult | undefined {
  const parsed = AgentResult.safeParse(parseJson(payload))
  return parsed.success ? parsed.data : undefined
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'))
  } catch {
    return undefined
  }
}
