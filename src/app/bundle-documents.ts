import { Failure } from '../../verifier/model/failure.ts'
import { looksLikeTar } from '../../verifier/tar/header.ts'

/** Anybody may attach to an image or serve a list: so many are looked at. */
export const MAX_BUNDLES = 100

/** No bundle is larger; several on lines of their own may be. Bytes. */
const MAX_DOCUMENT = 64 << 20

/**
 * The bundles in a document: those of a proof, one bundle, or several, each on a line of its own. What is no bundle is one all the same, and
 * the verifier says what is wrong with it. A proof may be larger than what is held in memory. Fails with `bundles-too-many`,
 * `bundles-too-large`, and as `readProof` does.
 */
export async function bundlesIn(document: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const chunks = flow(document)
  try {
    const parts: Uint8Array[] = []
    let length = 0
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      parts.push(next.value)
      const before = length
      length += next.value.length
      if (before < HEAD && length >= HEAD && looksLikeTar(Buffer.concat(parts))) return await bundlesInProof(flow(parts, chunks))
      if (length > MAX_DOCUMENT)
        throw new Failure({
          code: 'bundles-too-large',
          message: 'the document is larger than bundles are, and no proof',
          hint: 'give a file of bundles, or a proof',
        })
    }
    return bundlesInText(Buffer.concat(parts))
  } finally {
    await chunks.return()
  }
}

/** What tells a tar. */
const HEAD = 512

async function* flow(...parts: readonly (AsyncIterable<Uint8Array> | Iterable<Uint8Array>)[]): AsyncGenerator<Uint8Array, void, void> {
  for (const part of parts) yield* part
}

async function bundlesInProof(bytes: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const { readProof } = await import('../../attestations/proof/read-proof.ts')
  return (await readProof(bytes)).proof.attestations.map(({ bundle }) => bundle)
}

function bundlesInText(bytes: Uint8Array): readonly Uint8Array[] {
  // By the byte: as text, what is no UTF-8 would be mended, and another bundle verified than is there.
  const text = Buffer.from(bytes).toString('latin1')
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  // Printed with line breaks, one bundle has lines that are none.
  if (lines.length <= 1 || !lines.every((line) => /^\s*\{.*\}\s*$/.test(line))) return [bytes]
  if (lines.length <= MAX_BUNDLES) return lines.map((line) => Buffer.from(line, 'latin1'))
  throw new Failure({
    code: 'bundles-too-many',
    message: 'there are more bundles than are looked at',
    hint: `give up to ${MAX_BUNDLES} of them`,
  })
}
