import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import type { LimitKind } from '../../model/attempt.ts'
import type { Job, OutputEntry, SandboxIo } from '../sandbox.ts'
import { type AgentResult, parseEvent, parseResult } from './agent-messages.ts'
import type { SandboxSettings } from './container-spec.ts'
import { DockerDemultiplexer, encodeFrame, type Frame, FrameReader, TunnelledConnection } from './frames.ts'
import { OutputQueue } from './output-queue.ts'

const CHUNK = 1 << 20
/** The agent tells three stages and at most 64 outputs, each with its end: one that tells more is none of ours. */
const MAX_EVENTS = 256

/** What ended a conversation; `closed` is the end of the stream, which alone says nothing about the build. */
export type Stop =
  | { readonly kind: 'limit'; readonly limit: LimitKind }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'failed'; readonly error: unknown }

/** Both directions of one attached container. Ends at the first of: end of stream, a limit, cancellation, a failure on our side. */
export class Conversation {
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
  #started = false
  #events = 0
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
        if (this.#started) this.#stop({ kind: 'closed' })
        else this.#start().catch((error: unknown) => this.#stop({ kind: 'failed', error }))
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
    this.#started = true
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
    this.#events += 1
    if (this.#events > MAX_EVENTS) {
      this.#stop({ kind: 'closed' })
      return
    }
    const event = parseEvent(payload)
    if (event === undefined) return
    if (event.kind === 'build') this.#io.stage('build')
    else if (event.kind === 'collect') {
      this.#io.stage('collect')
      this.#io.summary(event.summary ?? undefined)
    } else if (event.type !== 'other') this.#beginOutput(event)
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
