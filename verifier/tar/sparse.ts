import { BLOCK, latin1 } from './bytes.ts'
import { tarFailure } from './failures.ts'
import type { SparseExtent } from './member.ts'

export type SparseMap = { readonly extents: readonly SparseExtent[]; readonly mapSize: number }

/**
 * Reads the map that begins the content of a file in GNU sparse format 1.0: decimal numbers, each with a newline: how many stretches,
 * then offset and length of each; zeros to the end of the block. GNU tar manual, "PAX Format, Version 1.0".
 */
export function* readSparseMap(offset: number, maxSize: number): Generator<{ need: number }, SparseMap, Uint8Array> {
  const malformed = (): Error => tarFailure('tar-sparse-malformed', { offset })
  let text = ''
  let lines = 0
  let wanted = Number.POSITIVE_INFINITY
  while (lines < wanted) {
    const block = yield { need: BLOCK }
    if (block.length < BLOCK) throw tarFailure('tar-truncated', { offset })
    const part = latin1(block)
    for (let at = part.indexOf('\n'); at !== -1; at = part.indexOf('\n', at + 1)) lines += 1
    text += part
    if (text.length > maxSize) throw malformed()
    if (wanted === Number.POSITIVE_INFINITY && lines > 0) wanted = decimal(text.slice(0, text.indexOf('\n')), malformed) * 2 + 1
    if (lines === 0) throw malformed()
  }
  const parts = text.split('\n')
  if (!/^\0*$/.test(parts.slice(wanted).join('\n'))) throw malformed()
  const extents = Array.from({ length: (wanted - 1) / 2 }, (_, index) => ({
    offset: decimal(parts[index * 2 + 1] ?? '', malformed),
    length: decimal(parts[index * 2 + 2] ?? '', malformed),
  }))
  return { extents, mapSize: text.length }
}

function decimal(text: string, malformed: () => Error): number {
  if (!/^(?:0|[1-9][0-9]{0,14})$/.test(text)) throw malformed()
  return Number(text)
}

/** Throws unless the stretches rise, stay within the file and hold exactly what is stored. */
export function checkSparse(extents: readonly SparseExtent[], file: { size: number; storedSize: number; offset: number }): void {
  let end = 0
  let stored = 0
  for (const extent of extents) {
    if (extent.offset < end) throw tarFailure('tar-sparse-malformed', { offset: file.offset })
    end = extent.offset + extent.length
    stored += extent.length
  }
  if (end > file.size || stored !== file.storedSize) throw tarFailure('tar-sparse-malformed', { offset: file.offset })
}

/** Whether the placeholder that GNU tar puts into `path` belongs to the file's real name; its process id does not matter. */
export function placeholderFits(placeholder: string, name: string): boolean {
  const match = /^(.*)\/GNUSparseFile\.[0-9]+\/([^/]*)$/s.exec(placeholder)
  const at = name.lastIndexOf('/')
  const directory = at === -1 ? '.' : name.slice(0, at)
  return match !== null && match[1] === directory && match[2] === name.slice(at + 1)
}
