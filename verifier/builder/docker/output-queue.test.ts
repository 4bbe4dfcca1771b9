import { expect, it } from 'vitest'
import { OutputQueue } from './output-queue.ts'

async function collect(queue: OutputQueue): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of queue) parts.push(part)
  return Buffer.concat(parts).toString()
}

it('hands over what was pushed before and after the reader came', async () => {
  const queue = new OutputQueue()
  queue.push(Buffer.from('a'))
  const read = collect(queue)
  await Promise.resolve()
  queue.push(Buffer.from('b'))
  queue.end()
  expect(await read).toBe('ab')
})

it('fails the reader of an output that broke off, after what had come', async () => {
  const queue = new OutputQueue()
  queue.push(Buffer.from('a'))
  queue.fail(new Error('broke off'))
  await expect(collect(queue)).rejects.toThrow('broke off')
})

it('holds the writer back while the reader is behind', async () => {
  const queue = new OutputQueue()
  const megabyte = Buffer.alloc(1 << 20)
  let pushed = 1
  while (!queue.push(megabyte)) pushed += 1
  expect(pushed).toBeGreaterThan(8)
  let drained = false
  queue.drained(() => {
    drained = true
    queue.end()
  })
  await collect(queue)
  expect(drained).toBe(true)
})
