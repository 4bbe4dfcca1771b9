import type { ByteView } from '../byte-view.ts'
import { buildId, type ElfSection, elfSections } from './elf.ts'
import type { Inspection, Signal } from './signal.ts'

const CHUNK = 256 * 1024
const MAX_NAMED = 20
/** What identifies a build without being code or data. */
const IDENTITY = new Set(['.note.gnu.build-id', '.gnu_debuglink', '.gnu_build_attributes'])

/** Which sections of two ELF files differ, found by reading each where it lies; null where one of them is no such file. */
export async function inspectElf(
  left: ByteView,
  right: ByteView,
): Promise<(Pick<Inspection, 'signals' | 'whole'> & { notes: string[] }) | null> {
  const [a, b] = [await elfSections(left), await elfSections(right)]
  if (a === null || b === null) return null
  const notes: string[] = []
  const [idLeft, idRight] = [await buildId(left, a), await buildId(right, b)]
  if (idLeft !== idRight) notes.push(`build id ${idLeft ?? 'none'} → ${idRight ?? 'none'}`)
  const names = [...new Set([...a, ...b].map((section) => section.name))]
  const differing: string[] = []
  for (const name of names) {
    const [one, other] = [a.find((section) => section.name === name), b.find((section) => section.name === name)]
    if (one === undefined || other === undefined) differing.push(`${name} (${one === undefined ? 'added' : 'removed'})`)
    else if (one.size !== other.size) differing.push(`${name} (${one.size} → ${other.size} bytes)`)
    else if (!(await equal({ left, right, one, other }))) differing.push(name)
  }
  const named = differing.slice(0, MAX_NAMED)
  notes.push(
    `sections that differ: ${named.join(', ') || 'none'}${differing.length > named.length ? ` and ${differing.length - named.length} more` : ''}`,
  )
  const sameLayout = left.size === right.size && a.length === b.length && a.every((section, index) => sameSection(section, b[index]))
  const onlyIdentity =
    sameLayout && differing.length > 0 && differing.every((name) => IDENTITY.has(name)) && (await equalOutside(left, right, a))
  const signal: Signal = { id: 'elf-identity', evidence: `only ${differing.join(', ')} differs` }
  return { notes, signals: onlyIdentity ? [signal] : [], whole: onlyIdentity }
}

function sameSection(a: ElfSection, b: ElfSection | undefined): boolean {
  return b !== undefined && a.name === b.name && a.offset === b.offset && a.size === b.size
}

/** Headers and gaps are in no section, and names may repeat: all bytes but the identity's are held against each other. */
async function equalOutside(left: ByteView, right: ByteView, sections: readonly ElfSection[]): Promise<boolean> {
  let from = 0
  const identity = sections.filter((section) => IDENTITY.has(section.name)).toSorted((a, b) => a.offset - b.offset)
  for (const { offset, size } of [...identity, { offset: left.size, size: 0 }]) {
    const stretch = { offset: from, size: Math.max(0, offset - from) }
    if (!(await equal({ left, right, one: stretch, other: stretch }))) return false
    from = Math.max(from, offset + size)
  }
  return true
}

type Stretch = { readonly offset: number; readonly size: number }

async function equal(o: { left: ByteView; right: ByteView; one: Stretch; other: Stretch }): Promise<boolean> {
  for (let at = 0; at < o.one.size; at += CHUNK) {
    const length = Math.min(CHUNK, o.one.size - at)
    const [a, b] = [await o.left.read(o.one.offset + at, length), await o.right.read(o.other.offset + at, length)]
    if (Buffer.compare(a, b) !== 0) return false
  }
  return true
}
