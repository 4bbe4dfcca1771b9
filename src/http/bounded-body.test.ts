import { expect, it } from 'vitest'
import { Failure } from '../../verifier/model/failure.ts'
import { type BodyBounds, boundedBody } from './bounded-body.ts'

const BOUNDS: BodyBounds = {
  maxBytes: 10,
  maxMs: 60_000,
  bytesPerSecond: 1,
  patienceMs: 60_000,
  tooLarge: () => new Failure({ code: 'too-large', message: '', hint: '' }),
}

function body(pull: (controller: ReadableStreamDefaultController<Uint8Array>) => void) {
  let cancelled = false
  const stream = new ReadableStream<Uint8Array>({ pull, cancel: () => void (cancelled = true) }, { highWaterMark: 0 })
  return { stream, wasCancelled: () => cancelled }
}
const read = async (stream: ReadableStream<Uint8Array> | null, change: Partial<BodyBounds> = {}) =>
  Buffer.concat(await Array.fromAsync(boundedBody(stream, { ...BOUNDS, ...change }))).toString()

it('gives a body whole that is as large as it may be, and an absent one as nothing', async () => {
  expect(await read(new Blob(['0123456789']).stream())).toBe('0123456789')
  expect(await read(null)).toBe('')
})

it('gives up a body that is larger, one that nothing comes of, and one that breaks, and wants no more of it', async () => {
  const large = body((controller) => controller.enqueue(new Uint8Array(6)))
  await expect(read(large.stream)).rejects.toMatchObject({ code: 'too-large' })
  const silent = body(() => {})
  await expect(read(silent.stream, { patienceMs: 5 })).rejects.toMatchObject({ code: 'body-too-slow' })
  const late = body(() => {})
  await expect(read(late.stream, { maxMs: 5 })).rejects.toMatchObject({ code: 'body-too-slow' })
  const broken = body((controller) => controller.error(new Error('secret')))
  await expect(read(broken.stream)).rejects.toMatchObject({ code: 'request-aborted', message: expect.not.stringContaining('secret') })
  expect([large, silent, late].map(({ wasCancelled }) => wasCancelled())).toEqual([true, true, true])
})

it('wants no more where whoever reads has enough', async () => {
  const endless = body((controller) => controller.enqueue(new Uint8Array(1)))
  for await (const _ of boundedBody(endless.stream, BOUNDS)) break
  expect(endless.wasCancelled()).toBe(true)
})
