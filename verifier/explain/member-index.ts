import type { FileHandle } from 'node:fs/promises'
import { IMAGE_TAR_LIMITS } from '../tar/limits.ts'
import type { ParsedMember } from '../tar/member.ts'
import { parseTar } from '../tar/parse.ts'
import { type ByteView, viewFile, viewSparse } from './byte-view.ts'

export type MemberIndex = {
  /** Content of the wanted files, by path one character a byte. Hard links lead to the file they name. */
  readonly files: ReadonlyMap<string, ByteView>
  /** Symbolic links in the root that lead to another directory, such as `lib` to `usr/lib`. */
  readonly aliases: ReadonlyMap<string, string>
}

const WINDOW = 256 * 1024

/** Finds wanted members of a tar by a pass over its headers; contents are not read. Throws the failures of `parseTar`. */
export async function indexMembers(o: {
  readonly handle: FileHandle
  readonly wanted: (path: string) => boolean
  readonly signal?: AbortSignal | undefined
}): Promise<MemberIndex> {
  const files = new Map<string, ByteView>()
  const aliases = new Map<string, string>()
  const { size } = await o.handle.stat()
  const whole = viewFile(o.handle, { offset: 0, size })
  let window: { readonly offset: number; readonly bytes: Buffer } = { offset: 0, bytes: Buffer.alloc(0) }
  const parser = parseTar(IMAGE_TAR_LIMITS)
  let at = 0
  let step = parser.next(new Uint8Array())
  while (step.done !== true) {
    o.signal?.throwIfAborted()
    if ('need' in step.value) {
      const { need } = step.value
      if (at < window.offset || at + need > window.offset + window.bytes.length)
        window = { offset: at, bytes: await whole.read(at, Math.max(need, WINDOW)) }
      const bytes = window.bytes.subarray(at - window.offset, at - window.offset + need)
      at += bytes.length
      step = parser.next(bytes)
      continue
    }
    const { member } = step.value
    note(member)
    at = member.dataOffset + member.storedSize
    step = parser.next(new Uint8Array())
  }
  return { files, aliases }

  function note(member: ParsedMember): void {
    const { name, linkName } = member
    const alias = member.type === 'symlink' && linkName !== null ? aliasOf(name, linkName) : null
    if (alias !== null) aliases.set(name, alias)
    if (!o.wanted(name)) return
    if (member.type === 'file') {
      const stored = viewFile(o.handle, { offset: member.dataOffset, size: member.storedSize })
      files.set(name, member.sparse === null ? stored : viewSparse(stored, member.sparse, member.size))
    } else if (member.type === 'hardlink' && linkName !== null) {
      const leader = files.get(linkName)
      if (leader !== undefined) files.set(name, leader)
    }
  }
}

/** Where a symbolic link of the root leads to, if it is a folder of the tree; null for every other link. */
export function aliasOf(name: string, target: string): string | null {
  if (name.includes('/')) return null
  const path = target.replace(/^\//, '').replace(/\/$/, '')
  return path.split('/').some((part) => part === '..' || part === '.' || part === '') ? null : path
}
