import { fromLatin1, isZero, paddingAfter } from '../../tar/bytes.ts'
import { encodeTarHeader, endPadding } from '../../tar/encode.ts'
import { IMAGE_TAR_LIMITS } from '../../tar/limits.ts'
import type { TarEntry } from '../../tar/member.ts'
import { parseTar } from '../../tar/parse.ts'
import { joined, type Parts } from './parts.ts'

/** One member of an archive in memory, so that it can be changed and written again. */
export type Member = { readonly entry: TarEntry; readonly content: Uint8Array }

/** How a member stands in the archive that it was read from. One that was changed is another object, and is encoded. */
const STORED = new WeakMap<Member, Uint8Array>()

/** The members of a canonical archive; contents are slices of it. */
export function unpackMembers(archive: Uint8Array): Member[] {
  const members: Member[] = []
  const parser = parseTar(IMAGE_TAR_LIMITS)
  let at = 0
  let step = parser.next(new Uint8Array())
  while (step.done !== true) {
    if ('need' in step.value) {
      const bytes = archive.subarray(at, at + step.value.need)
      at += bytes.length
      step = parser.next(bytes)
      continue
    }
    const { member } = step.value
    const {
      name,
      linkName,
      headerOffset,
      dataOffset,
      storedSize,
      sparse,
      keyNumber: _key,
      linkIndex: _index,
      rawHeader: _raw,
      ...rest
    } = member
    if (sparse !== null) throw new Error('a canonical archive has no sparse members')
    const entry = { ...rest, path: fromLatin1(name), linkPath: linkName === null ? null : fromLatin1(linkName) }
    const one = { entry, content: archive.subarray(dataOffset, dataOffset + storedSize) }
    STORED.set(one, archive.subarray(headerOffset, dataOffset + storedSize + paddingAfter(storedSize)))
    members.push(one)
    at = dataOffset + storedSize
    step = parser.next(new Uint8Array())
  }
  if (!isZero(archive.subarray(at))) throw new Error('the archive was not read to its end')
  return members
}

export function packMembers(members: readonly Member[]): Buffer {
  return Buffer.concat(partsOf(members))
}

/** The archive of these members: what is unchanged are slices of the archive that they were read from. */
export function partsOf(members: readonly Member[]): Parts {
  return ended(members.flatMap(packMember))
}

/** Headers and contents with the end that belongs behind them. */
export function ended(parts: Parts): Parts {
  const size = parts.reduce((sum, part) => sum + part.length, 0)
  return joined([...parts, Buffer.alloc(endPadding(size))])
}

export function packMember(member: Member): Parts {
  const stored = STORED.get(member)
  if (stored !== undefined) return [stored]
  const { entry, content } = member
  return [encodeTarHeader(entry), content, Buffer.alloc(paddingAfter(content.length))]
}
