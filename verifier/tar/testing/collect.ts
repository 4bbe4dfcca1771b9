import { IMAGE_TAR_LIMITS, type TarLimits } from '../limits.ts'
import type { TarMember } from '../member.ts'
import { readTar } from '../read.ts'

/** An archive as a stream that comes in pieces of `piece` bytes. */
export async function* inPieces(bytes: Uint8Array, piece = 65536): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece)
}

export type Collected = { readonly member: TarMember; readonly content: Buffer }

export async function collectTar(archive: Uint8Array, limits: TarLimits = IMAGE_TAR_LIMITS, piece?: number): Promise<Collected[]> {
  const collected: Collected[] = []
  for await (const { body, rawHeader: _, ...member } of readTar(inPieces(archive, piece), limits)) {
    const parts: Uint8Array[] = []
    for await (const part of body) parts.push(Uint8Array.from(part))
    collected.push({ member, content: Buffer.concat(parts) })
  }
  return collected
}
