import type { InstalledPackage } from '../../model/image-packages.ts'
import { latin1 } from '../../tar/bytes.ts'
import type { ByteView } from '../byte-view.ts'
import type { MemberIndex } from '../member-index.ts'
import { type Diversion, readDiversions } from './diversions.ts'
import { readStatus } from './status.ts'

const STATUS = 'var/lib/dpkg/status'
const DIVERSIONS = 'var/lib/dpkg/diversions'
const LIST = /^var\/lib\/dpkg\/info\/([a-z0-9][a-z0-9+.-]*)(?::([a-z0-9-]+))?\.list$/

/** Whether the package database needs this path (one character a byte). */
export function isDatabaseFile(path: string): boolean {
  return path === STATUS || path === DIVERSIONS || LIST.test(path)
}

export type Ownership = {
  readonly installed: ReadonlyMap<string, InstalledPackage>
  /** Package name of each asked-for path that has one; the first in the archive's order, where there are several. */
  readonly owners: ReadonlyMap<string, string>
  /** Paths that several packages list: directories, but for rare mistakes. */
  readonly shared: ReadonlySet<string>
  /** Whether something of the database was left out because it is too large. */
  readonly cut: boolean
}

/**
 * Who owns `paths` (one character a byte) by the package database of one side; null where the side has none. dpkg lists files where the
 * package put them: links of the root such as `lib` to `usr/lib` and diversions are followed to where they are now.
 */
export async function readOwnership(o: {
  readonly index: MemberIndex
  readonly paths: ReadonlySet<string>
  readonly maxSize: number
}): Promise<Ownership | null> {
  const status = o.index.files.get(STATUS)
  if (status === undefined) return null
  let left = o.maxSize
  let cut = false
  const text = async (view: ByteView): Promise<string> => {
    left -= view.size
    if (left < 0) {
      cut = true
      return ''
    }
    return latin1(await view.read(0, view.size))
  }
  const installed = readStatus(await text(status))
  const diversions = o.index.files.get(DIVERSIONS)
  const diverted = new Map((diversions === undefined ? [] : readDiversions(await text(diversions))).map((one) => [one.from, one]))
  const owners = new Map<string, string>()
  const shared = new Set<string>()
  for (const [path, view] of o.index.files) {
    const name = LIST.exec(path)?.[1]
    if (name === undefined) continue
    for (const line of (await text(view)).split('\n')) {
      if (!line.startsWith('/') || line === '/.') continue
      const place = placeOf(line.slice(1), { name, diverted, aliases: o.index.aliases })
      if (!o.paths.has(place)) continue
      const owner = owners.get(place)
      if (owner === undefined) owners.set(place, name)
      else if (owner !== name) shared.add(place)
    }
  }
  return { installed, owners, shared, cut }
}

function placeOf(
  listed: string,
  o: { readonly name: string; readonly diverted: ReadonlyMap<string, Diversion>; readonly aliases: ReadonlyMap<string, string> },
): string {
  const diversion = o.diverted.get(listed)
  const path = diversion !== undefined && diversion.by !== o.name ? diversion.to : listed
  const slash = path.indexOf('/')
  const alias = slash === -1 ? undefined : o.aliases.get(path.slice(0, slash))
  return alias === undefined ? path : `${alias}${path.slice(slash)}`
}
