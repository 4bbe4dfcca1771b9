import { paddingAfter } from '../../tar/bytes.ts'
import { encodeTarHeader, endPadding } from '../../tar/encode.ts'
import type { TarEntry } from '../../tar/member.ts'
import { collectTar } from '../../tar/testing/collect.ts'

/** One member of an archive in memory, so that it can be changed and written again. */
export type Member = { readonly entry: TarEntry; readonly content: Uint8Array }

export async function unpackMembers(archive: Uint8Array): Promise<Member[]> {
  return (await collectTar(archive)).map(({ member: { headerOffset: _h, dataOffset: _d, ...entry }, content }) => ({ entry, content }))
}

export function packMembers(members: readonly Member[]): Buffer {
  const parts = members.flatMap(packMember)
  const size = parts.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([...parts, Buffer.alloc(endPadding(size))])
}

export function packMember({ entry, content }: Member): Uint8Array[] {
  return [encodeTarHeader(entry), content, Buffer.alloc(paddingAfter(content.length))]
}
