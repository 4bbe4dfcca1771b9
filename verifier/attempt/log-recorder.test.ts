import { expect, it } from 'vitest'
import type { EventBody } from '../model/event.ts'
import { LogRecorder } from './log-recorder.ts'

async function whole(log: LogRecorder): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of log.bytes()) parts.push(part)
  return Buffer.concat(parts)
}

it('keeps a log that comes byte by byte in few pieces', async () => {
  const log = new LogRecorder(() => {})
  const bytes = Buffer.from('one line\nand another, without an end'.repeat(5000))
  for (const byte of bytes) log.write(Uint8Array.of(byte))
  let pieces = 0
  const parts: Uint8Array[] = []
  for await (const part of log.bytes()) {
    pieces += 1
    parts.push(Uint8Array.from(part))
  }
  expect(Buffer.concat(parts).equals(bytes)).toBe(true)
  expect(pieces).toBeLessThan(10)
})

it('keeps its own copy of what it is given, in pieces of any size', async () => {
  const log = new LogRecorder(() => {})
  const given = [Buffer.alloc(10, 'a'), Buffer.alloc(200_000, 'b'), Buffer.alloc(3, 'c')]
  const before = Buffer.concat(given)
  for (const part of given) {
    log.write(part)
    part.fill(0)
  }
  expect((await whole(log)).equals(before)).toBe(true)
})

it('tells lines, long ones in parts, with what a terminal would obey written out', async () => {
  const told: EventBody[] = []
  const log = new LogRecorder((event) => told.push(event))
  log.write(Buffer.from(`\u001b[2Jgone\r\nnext\n${'x'.repeat(5000)}\nlast`))
  await whole(log)
  const lines = told.map((event) => (event.kind === 'log' ? event.line : ''))
  expect(lines).toEqual([String.raw`\x1b[2Jgone`, 'next', 'x'.repeat(4096), 'x'.repeat(904), 'last'])
})
