import { expect, it } from 'vitest'
import { type AnswerSource, ArchiveServer } from './archive-server.ts'
import { DEFAULT_INPUT_LIMITS } from './input-proxy.ts'
import { get, rawExchange, split } from './testing/raw-client.ts'

async function* yielding(...parts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part)
}

async function bodyOf(source: AnswerSource): Promise<string> {
  await using server = new ArchiveServer(source, DEFAULT_INPUT_LIMITS)
  return split(await rawExchange(server, get('debian', 'x'))).body.toString()
}

it('hands out a body as it is', async () => {
  expect(await bodyOf(async () => ({ kind: 'body', size: 6, bytes: yielding('abc', 'def') }))).toBe('abcdef')
})

it('breaks the connection where a source gives less than it said', async () => {
  await using server = new ArchiveServer(async () => ({ kind: 'body', size: 7, bytes: yielding('abc', 'def') }), DEFAULT_INPUT_LIMITS)
  // A second request on the same connection gets no answer: the first one's was never complete.
  const requests = get('debian', 'x').replace('Connection: close\r\n', '') + get('debian', 'x')
  const answer = (await rawExchange(server, requests)).toString()
  expect(answer.match(/HTTP\/1\.1/g)?.length ?? 0).toBeLessThan(2)
})

it('hands out no byte more than it announced', async () => {
  for (const size of [3, 4]) {
    const body = await bodyOf(async () => ({ kind: 'body', size, bytes: yielding('abc', 'def') }))
    expect('abc'.startsWith(body)).toBe(true)
  }
})

it('breaks the connection where a source throws', async () => {
  await using server = new ArchiveServer(() => Promise.reject(new Error('no')), DEFAULT_INPUT_LIMITS)
  expect((await rawExchange(server, get('debian', 'x'))).length).toBe(0)
})
