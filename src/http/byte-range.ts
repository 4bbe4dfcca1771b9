import { Failure } from '../../verifier/model/failure.ts'

/** From and up to, both included. */
export type ByteRange = { readonly from: number; readonly to: number }

/**
 * The one part of `size` bytes that a Range header asks for (RFC 9110 §14.2); null for all of them: where it asks for nothing, for several
 * parts, or for what is no range of bytes. Fails with `range-unsatisfiable` where it begins beyond the end.
 */
export function byteRange(header: string | undefined, size: number): ByteRange | null {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return null
  if (first !== '' && last !== '' && Number(last) < Number(first)) return null
  const range =
    first === ''
      ? { from: Math.max(0, size - Number(last)), to: size - 1 }
      : { from: Number(first), to: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
  if (range.from < size && range.from <= range.to) return range
  throw new Failure({
    code: 'range-unsatisfiable',
    message: 'the range begins beyond the end',
    hint: `ask for bytes of 0 to ${Math.max(0, size - 1)}`,
    data: { size },
  })
}

/** The bytes of a range from all of them; what lies beyond it is not read. */
export async function* bytesWithin(all: AsyncIterable<Uint8Array>, { from, to }: ByteRange): AsyncGenerator<Uint8Array> {
  let at = 0
  for await (const chunk of all) {
    const part = chunk.subarray(Math.max(0, from - at), Math.max(0, to + 1 - at))
    at += chunk.length
    if (part.length > 0) yield part
    if (at > to) return
  }
}
