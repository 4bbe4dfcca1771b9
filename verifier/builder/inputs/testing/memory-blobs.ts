import { digestOf } from '../../../bytes/digest-of.ts'
import type { BlobStore } from '../../../model/blob-store.ts'
import { Sha256 } from '../../../model/digest.ts'
import { Failure } from '../../../model/failure.ts'

export type MemoryBlobs = BlobStore & { readonly bytes: Map<string, Buffer> }

/** A store for tests; `bytes` can be changed under it. */
export function memoryBlobs(): MemoryBlobs {
  const bytes = new Map<string, Buffer>()
  return {
    bytes,
    async put(source, expected) {
      const parts: Uint8Array[] = []
      for await (const part of source) parts.push(part)
      const whole = Buffer.concat(parts)
      const sha256 = digestOf(whole)
      if (expected !== undefined && expected !== sha256) throw failure('blob-differs', { expected, actual: sha256 })
      bytes.set(sha256, whole)
      return { sha256, size: whole.length }
    },
    async open(sha256) {
      const whole = bytes.get(sha256)
      if (whole === undefined) throw failure('blob-missing', { expected: sha256 })
      return readChecked(whole, sha256)
    },
    async size(sha256) {
      return bytes.get(sha256)?.length
    },
  }
}

async function* readChecked(whole: Buffer, expected: Sha256): AsyncGenerator<Uint8Array> {
  yield whole.subarray(0, whole.length >> 1)
  if (digestOf(whole) !== expected) throw failure('blob-damaged', { expected, actual: digestOf(whole) })
  yield whole.subarray(whole.length >> 1)
}

function failure(code: string, data: Readonly<Record<string, unknown>>): Failure {
  return new Failure({ code, message: code, hint: 'a test did this', data })
}
