import type { ByteView } from '../byte-view.ts'
import { printable } from '../inspect/printable.ts'
import { peTimestamp } from '../rules/pe-timestamp.ts'
import type { Locator } from './place.ts'

export type PeSection = { readonly name: string; readonly offset: number; readonly size: number }

export type PeFile = { readonly sections: readonly PeSection[]; readonly locate: Locator }

const MAX_SECTIONS = 256
const SECTION = 40

/** Sections of a PE file such as a UKI (Microsoft PE format; UAPI.5); null where it is none. */
export async function readPe(view: ByteView): Promise<PeFile | null> {
  const dos = await view.read(0, 64)
  if (dos.length < 64 || dos.toString('latin1', 0, 2) !== 'MZ') return null
  const at = dos.readUInt32LE(60)
  const head = await view.read(at, 24)
  if (head.length < 24 || head.toString('latin1', 0, 4) !== 'PE\0\0') return null
  const count = head.readUInt16LE(6)
  if (count > MAX_SECTIONS) return null
  const table = await view.read(at + 24 + head.readUInt16LE(20), count * SECTION)
  const sections: PeSection[] = []
  for (let entry = 0; entry + SECTION <= table.length; entry += SECTION) {
    const [virtual, stored, offset] = [table.readUInt32LE(entry + 8), table.readUInt32LE(entry + 16), table.readUInt32LE(entry + 20)]
    if (stored === 0 || offset + stored > view.size) continue
    const name = table.subarray(entry, entry + 8)
    // A section's stored size is padded to the file's alignment.
    const size = virtual === 0 ? stored : Math.min(virtual, stored)
    sections.push({ name: printable(name.subarray(0, name.includes(0) ? name.indexOf(0) : 8), 40), offset, size })
  }
  const locate: Locator = async ({ offset, length }) => {
    if (offset >= at + 8 && offset + length <= at + 12) return { where: 'PE header: time', rule: peTimestamp }
    const section = sections.find((one) => offset >= one.offset && offset < one.offset + one.size)
    return { where: section === undefined ? 'PE header' : `PE section ${section.name}`, rule: null }
  }
  return { sections, locate }
}
