import { packageDifferences } from '../../../verifier/explain/dpkg/package-changes.ts'
import { compareVersions } from '../../../verifier/explain/dpkg/version.ts'
import type { InstalledPackage } from '../../../verifier/model/image-packages.ts'
import type { PackageVersionChange } from './changes-document.ts'
import type { ListedPackage } from './listed-package.ts'

const ECOSYSTEMS = ['debian', 'npm'] as const

/**
 * What came, went or changed its version between two lists of packages, by ecosystem, name and architecture. A name may be there in several
 * versions, as npm's often are: those that both lists have are no change, and the others are paired in their order.
 */
export function versionChanges(older: readonly ListedPackage[], newer: readonly ListedPackage[]): PackageVersionChange[] {
  return ECOSYSTEMS.flatMap((ecosystem) => {
    const compare = ecosystem === 'npm' ? compareSemver : compareVersions
    const [left, right] = [groups(older, ecosystem), groups(newer, ecosystem)]
    const found = packageDifferences(remaining(left, right, compare), remaining(right, left, compare), compare)
    return found.map(({ name, architecture, kind, left: from, right: to }) => ({
      ecosystem,
      name,
      architecture: ecosystem === 'npm' ? null : architecture,
      kind,
      from,
      to,
    }))
  })
}

type Group = { readonly name: string; readonly architecture: string; readonly versions: Set<string> }
type Compare = (a: string, b: string) => number

function groups(list: readonly ListedPackage[], ecosystem: ListedPackage['ecosystem']): Map<string, Group> {
  const found = new Map<string, Group>()
  for (const { name, architecture, version } of list.filter((one) => one.ecosystem === ecosystem)) {
    const key = JSON.stringify([name, architecture])
    const group = found.get(key) ?? { name, architecture: architecture ?? '', versions: new Set() }
    group.versions.add(version)
    found.set(key, group)
  }
  return found
}

/** The versions that the other side does not have, each under a key of its own. */
function remaining(side: ReadonlyMap<string, Group>, other: ReadonlyMap<string, Group>, compare: Compare): Map<string, InstalledPackage> {
  const packages = new Map<string, InstalledPackage>()
  for (const [key, { name, architecture, versions }] of side) {
    const own = [...versions].filter((version) => other.get(key)?.versions.has(version) !== true)
    for (const [index, version] of own.toSorted((a, b) => compare(a, b) || (a < b ? -1 : 1)).entries())
      packages.set(`${key} ${String(index).padStart(6, '0')}`, { name, architecture, version })
  }
  return packages
}

/** Near enough to semver for a word such as `upgraded`: what follows a dash comes before the release, what follows a plus does not count. */
function compareSemver(a: string, b: string): number {
  const plain = (version: string): string => (version.split('+', 1)[0] ?? '').replace('-', '~')
  return compareVersions(plain(a), plain(b))
}
