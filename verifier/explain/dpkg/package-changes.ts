import type { PackageChange } from '../../model/explanation.ts'
import type { InstalledPackage } from '../../model/image-packages.ts'
import { compareVersions } from './version.ts'

export type PackageDifference = Omit<PackageChange, 'paths'>

/**
 * What was installed, taken away or exchanged between two sides, by name and architecture, in order of names. `compare`: which of two
 * versions is the older one, if not as dpkg orders them.
 */
export function packageDifferences(
  left: ReadonlyMap<string, InstalledPackage>,
  right: ReadonlyMap<string, InstalledPackage>,
  compare: (left: string, right: string) => number = compareVersions,
): PackageDifference[] {
  const keys = [...new Set([...left.keys(), ...right.keys()])].toSorted()
  return keys.flatMap((key) => {
    const [before, after] = [left.get(key), right.get(key)]
    const one = before ?? after
    if (one === undefined || before?.version === after?.version) return []
    const kind =
      before === undefined
        ? 'added'
        : after === undefined
          ? 'removed'
          : compare(before.version, after.version) <= 0
            ? 'upgraded'
            : 'downgraded'
    return [{ name: one.name, architecture: one.architecture, kind, left: before?.version ?? null, right: after?.version ?? null }]
  })
}
