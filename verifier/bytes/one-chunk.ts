/** Bytes that are at hand, for whoever takes a stream. */
export async function* oneChunk(bytes: Uint8Array | string): AsyncGenerator<Uint8Array, void, void> {
  yield typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes
}
