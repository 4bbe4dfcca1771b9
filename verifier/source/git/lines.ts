import { sourceFailure } from '../failures.ts'

/** Records that end with `terminator`, one character a byte, without it. A record longer than `maxLength` fails. */
export async function* records(
  bytes: AsyncIterable<Uint8Array>,
  o: { readonly terminator: '\n' | '\0'; readonly maxLength: number },
): AsyncGenerator<string, void, void> {
  let rest = ''
  for await (const chunk of bytes) {
    const parts = (rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1')).split(o.terminator)
    rest = parts.pop() ?? ''
    for (const part of parts) yield part
    if (rest.length > o.maxLength) throw sourceFailure('source-depth-limit', { limit: o.maxLength })
  }
  if (rest !== '') throw sourceFailure('source-objects-malformed')
}
