import { viewPart } from '../byte-view.ts'
import type { Range } from '../inspect/byte-ranges.ts'
import { locateExt4 } from './ext4.ts'
import { locateFat } from './fat.ts'
import { readGpt } from './gpt.ts'
import { readPe } from './pe.ts'
import type { Locator, Place, Sides } from './place.ts'
import { locateSuperblock } from './superblocks.ts'

type Region = { readonly name: string; readonly offset: number; readonly size: number; readonly locate: Locator | null }

/** Knows what lies where in two artifacts of one kind: partitions of a disk, fields of a file system, sections of a PE file. */
export async function locate(sides: Sides): Promise<Locator> {
  const table = await readGpt(sides.left)
  if (table === null) return (await locateFormat(sides)) ?? nowhere
  const regions: Region[] = []
  for (const { name, offset, size } of table.partitions) {
    const part = { left: viewPart(sides.left, offset, size), right: viewPart(sides.right, offset, size) }
    regions.push({ name, offset, size, locate: await locateFormat(part) })
  }
  return async (range) => {
    const region = regions.find(({ offset, size }) => range.offset >= offset && range.offset < offset + size)
    if (region === undefined) return await table.locate(range)
    const inside = await region.locate?.({ offset: range.offset - region.offset, length: range.length })
    const whole = range.offset + range.length <= region.offset + region.size
    if (inside === undefined || inside === null) return { where: region.name, rule: null }
    return { where: `${region.name}: ${inside.where}`, rule: whole ? inside.rule : null }
  }
}

async function locateFormat(sides: Sides): Promise<Locator | null> {
  const pe = await readPe(sides.left)
  return pe?.locate ?? (await locateExt4(sides)) ?? (await locateSuperblock(sides)) ?? (await locateFat(sides))
}

async function nowhere(_range: Range): Promise<Place | null> {
  return null
}
