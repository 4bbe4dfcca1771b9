import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEventStream, type StreamEvent } from './event-stream.ts'

async function* chunks(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts
}

const read = async (...texts: string[]): Promise<StreamEvent[]> =>
  await Array.fromAsync(readEventStream(chunks(texts.map((text) => Buffer.from(text)))))

describe('an event stream', () => {
  it('gives events whole, with the id that was named last', async () => {
    expect(await read(': hello\n\nid: 7\nevent: log\ndata: {"a":1}\n\ndata:x\ndata: y\n\n')).toEqual([
      { id: '7', event: 'log', data: '{"a":1}' },
      { id: '7', event: 'message', data: 'x\ny' },
    ])
  })

  it('drops what it ends within, and events without data', async () => {
    expect(await read('event: a\n\nid: 1\nevent: b\ndata: cut off')).toEqual([])
  })

  it('does not depend on how it is cut, nor on which line breaks are used', async () => {
    const events = fc.array(
      fc.record({
        id: fc.stringMatching(/^[0-9]{1,5}$/),
        event: fc.constantFrom('log', 'end'),
        data: fc.string({ unit: 'grapheme' }).map((s) => JSON.stringify(s)),
      }),
      { maxLength: 5 },
    )
    await fc.assert(
      fc.asyncProperty(events, fc.constantFrom('\n', '\r\n', '\r'), fc.array(fc.nat(200)), async (sent, end, cuts) => {
        const text = sent.map(({ id, event, data }) => [`id: ${id}`, `event: ${event}`, `data: ${data}`, '', ''].join(end)).join('')
        const bytes = Buffer.from(text)
        const places = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length]
        const parts = places.slice(1).map((place, index) => bytes.subarray(places[index], place))
        expect(await Array.fromAsync(readEventStream(chunks(parts)))).toEqual(sent)
      }),
    )
  })

  it.each([
    ['a line without an end', ['data: ', ...Array.from({ length: 20 }, () => 'x'.repeat(1 << 16))]],
    ['an event without an end', Array.from({ length: 20 }, () => `data: ${'x'.repeat(1 << 16)}\n`)],
  ])('refuses %s', async (_, parts) => {
    await expect(read(...parts)).rejects.toMatchObject({ code: 'server-answer-malformed' })
  })
})
