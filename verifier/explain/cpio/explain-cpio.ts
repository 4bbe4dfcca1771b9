import { open } from 'node:fs/promises'
import type { Explanation } from '../../model/explanation.ts'
import { encodeEntry, TREE_MANIFEST_HEADER, unescapeBytes } from '../../model/tree-manifest.ts'
import { latin1 } from '../../tar/bytes.ts'
import { viewFile } from '../byte-view.ts'
import { type Contents, isWanted, type Wanted, withOwners } from '../contents.ts'
import { aliasOf, type MemberIndex } from '../member-index.ts'
import type { RawOptions } from '../raw/explain-raw.ts'
import { explainTrees, type TreeSide } from '../tree.ts'
import { type CpioEntry, readCpio } from './read-cpio.ts'

/** Explains two cpio archives as the trees that they hold; null where one of them is none, or is one that hides something. */
export async function explainCpio(o: RawOptions): Promise<Explanation | null> {
  await using left = await open(o.left.file, 'r')
  await using right = await open(o.right.file, 'r')
  const a = await readCpio(viewFile(left, { offset: 0, size: (await left.stat()).size }), o.signal)
  const b = a === null ? null : await readCpio(viewFile(right, { offset: 0, size: (await right.stat()).size }), o.signal)
  if (a === null || b === null) return null
  return await explainTrees({ ...o, left: side(o.left.label, a), right: side(o.right.label, b) })
}

function side(label: string, entries: readonly CpioEntry[]): TreeSide {
  return { label, manifest: manifestOf(entries), open: (wanted) => contentsOf(label, entries, wanted) }
}

const PIECE = 1000

async function* manifestOf(entries: readonly CpioEntry[]): AsyncGenerator<Uint8Array, void, void> {
  yield Buffer.from(`${TREE_MANIFEST_HEADER}\n`)
  for (let at = 0; at < entries.length; at += PIECE) {
    const lines = entries.slice(at, at + PIECE).map(({ entry }) => `${encodeEntry(entry)}\n`)
    yield Buffer.from(lines.join(''))
  }
}

async function contentsOf(label: string, entries: readonly CpioEntry[], wanted: Wanted): Promise<Contents> {
  const files: Map<string, NonNullable<CpioEntry['content']>> = new Map()
  const aliases = new Map<string, string>()
  for (const { raw, entry, content } of entries) {
    if (content !== null && isWanted(raw, wanted)) files.set(raw, content)
    const alias = entry.type === 'l' && entry.link !== null ? aliasOf(raw, latin1(unescapeBytes(entry.link))) : null
    if (alias !== null) aliases.set(raw, alias)
  }
  const index: MemberIndex = { files, aliases }
  return await withOwners(index, { label, wanted, close: async () => {} })
}
