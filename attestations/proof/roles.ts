import { MAX_LOCK_BYTES } from '../../verifier/model/lock.ts'

/** What a member of a proof is, in the order in which they lie; bundles and statements by turns. */
export const ROLES = [
  'instructions',
  'report',
  'bundle',
  'statement',
  'public-key',
  'trusted-root',
  'lock',
  'builder',
  'builder-lock',
  'sbom',
  'tree-manifest',
  'source',
  'inputs',
] as const
export type Role = (typeof ROLES)[number]

const KIB = 1024
const MIB = 1024 * KIB
/** Of a size that a plain header can say: larger ones have a second encoding. */
const LARGEST = 8 * 1024 * MIB - 1

/** Largest size of a member, bytes. */
export const ROLE_LIMITS: Readonly<Record<Role, number>> = {
  instructions: 64 * KIB,
  report: 16 * MIB,
  bundle: 16 * MIB,
  statement: 16 * MIB,
  'public-key': 16 * KIB,
  'trusted-root': 4 * MIB,
  lock: MAX_LOCK_BYTES,
  builder: 4 * MIB,
  'builder-lock': MAX_LOCK_BYTES,
  sbom: 16 * MIB,
  'tree-manifest': 256 * MIB,
  source: LARGEST,
  inputs: LARGEST,
}

/** Roles whose members are handed through and never held in memory. */
export const CARRIED_ROLES = ['tree-manifest', 'source', 'inputs'] as const
export type CarriedRole = (typeof CARRIED_ROLES)[number]

export function isCarried(role: Role): role is CarriedRole {
  return (CARRIED_ROLES as readonly Role[]).includes(role)
}

/** The name of the one member of a role; of those that can be several, what every name is like. */
const NAMES: Readonly<Record<Role, string | RegExp>> = {
  instructions: 'CHECK.md',
  report: 'report.json',
  bundle: /^attestations\/[a-z]+(-[a-z]+)?(-[1-9][0-9]?)?\.sigstore\.json$/,
  statement: /^attestations\/[a-z]+(-[a-z]+)?(-[1-9][0-9]?)?\.statement\.json$/,
  'public-key': 'key.pub',
  'trusted-root': 'trusted_root.json',
  lock: 'inputs.lock.json',
  builder: 'builder.json',
  'builder-lock': 'builder.lock.json',
  sbom: 'sbom.cdx.json',
  'tree-manifest': /^manifests\/[0-9a-f]{64}\.txt$/,
  source: 'source.tar',
  inputs: 'inputs.tar',
}

export function fitsRole(path: string, role: Role): boolean {
  const name = NAMES[role]
  return typeof name === 'string' ? path === name : name.test(path)
}

/** The name of the one member of a role. */
export function nameOf(role: Exclude<Role, 'bundle' | 'statement' | 'tree-manifest'>): string {
  return String(NAMES[role])
}
