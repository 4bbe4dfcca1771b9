import { expect, it } from 'vitest'
import { oneChunk } from '../../../verifier/bytes/one-chunk.ts'
import { GivenBytes } from './given-bytes.ts'

async function give(given: GivenBytes, lease: string, text: string): Promise<string> {
  try {
    for await (const _ of given.counted(lease, oneChunk(Buffer.from(text))));
    return 'taken'
  } catch (error) {
    return String((error as { code?: unknown }).code)
  }
}

it('takes so many bytes of one lease, and so many of one blob', async () => {
  const given = new GivenBytes({ blobBytes: 4, leaseBytes: 6 })
  expect([await give(given, 'a', '12345'), await give(given, 'b', '1234'), await give(given, 'b', '12')]).toEqual([
    'blob-too-large',
    'taken',
    'taken',
  ])
  expect([await give(given, 'b', '1'), await give(given, 'c', '1')]).toEqual(['blobs-too-large', 'taken'])
})

it('takes so many blobs of one lease, however small they are', async () => {
  const given = new GivenBytes({ blobBytes: 4, leaseBytes: 6 })
  for (let at = 0; at < 100_000; at += 1) for await (const _ of given.counted('a', oneChunk(Buffer.alloc(0))));
  expect([await give(given, 'a', ''), await give(given, 'b', '')]).toEqual(['blobs-too-large', 'taken'])
})
