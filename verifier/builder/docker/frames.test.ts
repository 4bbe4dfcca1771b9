import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DockerDemultiplexer, encodeFrame, type Frame, FrameReader, TunnelledConnection } from './frames.ts'

const frameArbitrary = fc.record({
  kind: fc.constantFrom('A', 'D', 'E', 'H', 'O', 'R', 'T'),
  channel: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
})

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const parts: Buffer[] = []
  let at = 0
  for (const size of sizes) {
    parts.push(bytes.subarray(at, at + size))
    at += size
  }
  return [...parts, bytes.subarray(at)].filter((part) => part.length > 0)
}

it('reads the frames that were written, however the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(frameArbitrary, { maxLength: 20 }), fc.array(fc.integer({ min: 1, max: 50 })), (frames, sizes) => {
      const bytes = Buffer.concat(frames.map((frame) => encodeFrame(frame.kind, frame.channel, frame.payload)))
      const reader = new FrameReader('')
      const read: Frame[] = []
      for (const part of cut(bytes, sizes)) expect(reader.push(part, (frame) => read.push(frame))).toBe(true)
      expect(read.map(({ kind, channel, payload }) => ({ kind, channel, payload: Buffer.from(payload) }))).toEqual(frames)
    }),
  )
})

it('passes the bytes of a streamed kind on as they come, and its empty frame as the end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 500 }), fc.array(fc.integer({ min: 1, max: 50 })), (payload, sizes) => {
      const reader = new FrameReader('T')
      const parts: Buffer[] = []
      let ends = 0
      const bytes = Buffer.concat([encodeFrame('T', 3, payload), encodeFrame('T', 3)])
      for (const part of cut(bytes, sizes))
        reader.push(part, (frame) => {
          if (frame.payload.length === 0) ends += 1
          else parts.push(Buffer.from(frame.payload))
        })
      expect(Buffer.concat(parts).equals(Buffer.from(payload))).toBe(true)
      expect(ends).toBe(1)
    }),
  )
})

it('refuses a frame that says to be larger than any that the agent sends', () => {
  const lie = encodeFrame('D', 1)
  lie.writeUInt32BE(0xffff_ffff, 5)
  expect(new FrameReader('T').push(lie, () => expect.unreachable())).toBe(false)
})

it('parts stdout from stderr, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 100 })), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 30 })),
      (parts, sizes) => {
        const header = (stream: number, length: number): Buffer => {
          const bytes = Buffer.alloc(8)
          bytes.writeUInt8(stream, 0)
          bytes.writeUInt32BE(length, 4)
          return bytes
        }
        const bytes = Buffer.concat(parts.flatMap(([stream, payload]) => [header(stream, payload.length), Buffer.from(payload)]))
        const streams: Record<number, Buffer[]> = { 1: [], 2: [] }
        const demultiplexer = new DockerDemultiplexer()
        for (const part of cut(bytes, sizes)) demultiplexer.push(part, (stream, got) => streams[stream]?.push(Buffer.from(got)))
        for (const wanted of [1, 2])
          expect(Buffer.concat(streams[wanted] ?? [])).toEqual(
            Buffer.concat(parts.filter(([s]) => s === wanted).map(([, p]) => Buffer.from(p))),
          )
      },
    ),
  )
})

it('ends both directions of a connection once each', async () => {
  const sent: string[] = []
  const connection = new TunnelledConnection(async (kind, payload) => {
    sent.push(`${kind}${Buffer.from(payload ?? []).toString()}`)
  })
  connection.receive(Buffer.from('GET'))
  connection.receiveEnd()
  connection.receiveEnd()
  connection.end('answer')
  let got = ''
  for await (const part of connection) got += String(part)
  expect(got).toBe('GET')
  expect(sent.slice(0, 2)).toEqual(['Danswer', 'H'])
})

it('drops a connection whose client sends without end while nobody reads', () => {
  const sent: string[] = []
  const connection = new TunnelledConnection(async (kind) => void sent.push(kind))
  for (let i = 0; i < 100; i += 1) connection.receive(Buffer.alloc(1 << 16))
  expect(connection.destroyed).toBe(true)
  expect(connection.readableLength).toBeLessThanOrEqual(1 << 18)
  expect(sent).toEqual(['H'])
})

it('takes any amount from a client that is read', async () => {
  const connection = new TunnelledConnection(async () => {})
  let got = 0
  connection.on('data', (part: Buffer) => {
    got += part.length
  })
  for (let i = 0; i < 100; i += 1) {
    connection.receive(Buffer.alloc(1 << 16))
    await setImmediate()
  }
  expect(got).toBe(100 << 16)
  expect(connection.destroyed).toBe(false)
})
