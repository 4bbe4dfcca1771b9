import { Failure } from '../model/failure.ts'
import { packageKey } from '../model/image-packages.ts'
import type { InputLock } from '../model/lock.ts'
import { BuilderPackage } from './image-description.ts'

/** Reads the list that `customize.sh` leaves in the image: name, version and architecture, tab-separated, one package a line. */
export function parsePackages(bytes: Uint8Array): BuilderPackage[] {
  const lines = Buffer.from(bytes).toString('latin1').split('\n')
  if (lines.pop() !== '') throw unreadable()
  return lines.map((line) => {
    const [name, version, architecture, ...more] = line.split('\t')
    const parsed = BuilderPackage.safeParse({ name, version, architecture })
    if (!parsed.success || more.length > 0) throw unreadable()
    return parsed.data
  })
}

/**
 * Throws `builder-packages-differ` unless exactly the lock's packages are installed: a lock that names less does not describe the image,
 * one that names more was not what it was made from.
 */
export function checkPackages(packages: readonly BuilderPackage[], lock: InputLock): void {
  const installed = new Set(packages.map(packageKey))
  const locked = new Set(lock.inputs.filter((input) => input.kind === 'package').map(packageKey))
  const unlocked = [...installed].filter((key) => !locked.has(key))
  const absent = [...locked].filter((key) => !installed.has(key))
  if (unlocked.length === 0 && absent.length === 0 && installed.size === packages.length) return
  throw new Failure({
    code: 'builder-packages-differ',
    message: `the builder and its lock name different packages: ${unlocked.length} installed but not locked, ${absent.length} locked but not installed`,
    hint: 'make the builder again without a lock, or with the lock that belongs to its mkosi version',
    data: { unlocked: unlocked.slice(0, 20), absent: absent.slice(0, 20) },
  })
}

/** Throws `builder-mkosi-version` unless the suite's mkosi is the version that the profile is for. */
export function checkMkosi(packages: readonly BuilderPackage[], expected: string): void {
  const found = packages.find((one) => one.name === 'mkosi')?.version.replace(/-[^-]*$/, '')
  if (found === expected) return
  throw new Failure({
    code: 'builder-mkosi-version',
    message: `the suite holds mkosi ${found ?? 'not at all'}, the profile is for ${expected}`,
    hint: 'add a profile for the new version to mkosi/builder/profiles.json, or make the builder from an earlier lock',
    data: { found: found ?? null, expected },
  })
}

/**
 * apt preferences under which the lock's packages are the only ones that exist, so that no apt, whatever its solver, can choose
 * otherwise than the one that recorded them (apt_preferences(5)).
 */
export function pinPreferences(lock: InputLock): string {
  const pins = lock.inputs
    .filter((input) => input.kind === 'package')
    .map(({ name, version }) => `Package: ${name}\nPin: version ${version}\nPin-Priority: 1001\n`)
  return [`Package: *\nPin: release *\nPin-Priority: -1\n`, ...pins.toSorted()].join('\n')
}

function unreadable(): Failure {
  return new Failure({
    code: 'builder-root-malformed',
    message: 'the list of packages in the builder cannot be read',
    hint: 'make the builder again; if it happens again, mkosi/builder/customize.sh is not the one that belongs to this version',
    audience: 'operator',
  })
}
