import { Duplex } from 'node:stream'

const HEADER = 9
/** A frame from the container that says to be larger is a lie: the agent sends at most 1 MiB and a summary of 4 MiB. */
const MAX_FRAME = 8 << 20

/** Bytes of a connection that its server has not read. A server stops reading while answers wait, which a client can bring about. */
const MAX_UNREAD = 256 << 10

export type Frame = { readonly kind: string; readonly channel: number; readonly payload: Buffer }

/** type (1 byte) | channel (4, big endian) | length (4, big endian) | payload, as in mkosi/builder/agent.py. */
export function encodeFrame(kind: string, channel = 0, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const frame = Buffer.allocUnsafe(HEADER + payload.length)
  frame.write(kind, 0, 'latin1')
  frame.writeUInt32BE(channel, 1)
  frame.writeUInt32BE(payload.length, 5)
  frame.set(payload, HEADER)
  return frame
}

/** Cuts a byte stream into frames; a payload may come in parts only for the kinds in `streamed`, whose bytes are passed on as they arrive. */
export class FrameReader {
  #header = Buffer.alloc(HEADER)
  #have = 0
  #left = 0
  #parts: Buffer[] = []
  readonly #streamed: string

  constructor(streamed: string) {
    this.#streamed = streamed
  }

  /** Returns false where the stream is not in this format; nothing after that can be trusted. */
  push(bytes: Buffer, onFrame: (frame: Frame) => void): boolean {
    let at = 0
    while (at < bytes.length || (this.#have === HEADER && this.#left === 0)) {
      if (this.#have < HEADER) {
        const taken = Math.min(HEADER - this.#have, bytes.length - at)
        bytes.copy(this.#header, this.#have, at, at + taken)
        this.#have += taken
        at += taken
        if (this.#have < HEADER) return true
        this.#left = this.#header.readUInt32BE(5)
        if (this.#left > MAX_FRAME) return false
        if (this.#left > 0) continue
        this.#emit(Buffer.alloc(0), onFrame)
        continue
      }
      const part = bytes.subarray(at, at + Math.min(this.#left, bytes.length - at))
      at += part.length
      this.#left -= part.length
      if (this.#streamed.includes(this.#kind())) onFrame({ kind: this.#kind(), channel: this.#header.readUInt32BE(1), payload: part })
      else this.#parts.push(part)
      if (this.#left > 0) return true
      if (this.#streamed.includes(this.#kind())) this.#have = 0
      else this.#emit(this.#parts.length === 1 ? (this.#parts[0] ?? part) : Buffer.concat(this.#parts), onFrame)
    }
    return true
  }

  #kind(): string {
    return this.#header.toString('latin1', 0, 1)
  }

  #emit(payload: Buffer, onFrame: (frame: Frame) => void): void {
    this.#have = 0
    this.#parts = []
    onFrame({ kind: this.#kind(), channel: this.#header.readUInt32BE(1), payload })
  }
}

/** Cuts Docker's attach stream: stream (1 byte) | 0 0 0 | length (4, big endian) | payload; 1 is stdout, 2 stderr. */
export class DockerDemultiplexer {
  #header = Buffer.alloc(8)
  #have = 0
  #left = 0

  push(bytes: Buffer, onPart: (stream: number, part: Buffer) => void): void {
    let at = 0
    while (at < bytes.length) {
      if (this.#have < 8) {
        const taken = Math.min(8 - this.#have, bytes.length - at)
        bytes.copy(this.#header, this.#have, at, at + taken)
        this.#have += taken
        at += taken
        if (this.#have === 8) this.#left = this.#header.readUInt32BE(4)
      } else {
        const part = bytes.subarray(at, at + Math.min(this.#left, bytes.length - at))
        at += part.length
        this.#left -= part.length
        onPart(this.#header.readUInt8(0), part)
      }
      if (this.#have === 8 && this.#left === 0) this.#have = 0
    }
  }
}

/** One connection that was opened in the container, as a stream that an HTTP server takes like a socket. */
export class TunnelledConnection extends Duplex {
  readonly #send: (kind: 'D' | 'H', payload?: Uint8Array) => Promise<void>
  #ended = false

  constructor(send: (kind: 'D' | 'H', payload?: Uint8Array) => Promise<void>) {
    super({ allowHalfOpen: true })
    this.#send = send
  }

  /** Bytes from the container. What an HTTP client sends is small: it is not held back, and one that sends more than is read is dropped. */
  receive(payload: Buffer): void {
    if (this.#ended || this.destroyed) return
    if (this.readableLength + payload.length > MAX_UNREAD) this.destroy()
    else this.push(payload)
  }

  receiveEnd(): void {
    if (this.#ended) return
    this.#ended = true
    this.push(null)
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    void settle(this.#send('D', chunk), done)
  }

  override _final(done: (error?: Error | null) => void): void {
    void settle(this.#send('H'), done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    void settle(this.#send('H'), () => done(error))
  }

  // http.Server treats its connections as sockets in these few places.
  setTimeout(): this {
    return this
  }
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
}

/** Streams of Node want a callback where we have a promise. */
async function settle(work: Promise<void>, done: (error?: Error | null) => void): Promise<void> {
  let failure: Error | undefined
  try {
    await work
  } catch (error) {
    failure = error instanceof Error ? error : new Error('write failed')
  }
  done(failure)
}
