import { z } from 'zod'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { reasonOf } from './decide-gate.ts'
import type { Decision } from './decision.ts'
import type { Policy } from './policy.ts'

const Hex = z.string().regex(/^0x(?:[0-9a-f]{2})+$/)
const Devices = { devices: z.array(Hex), allowAnyDevice: z.boolean() }

/**
 * The file that dstack's `auth-simple` decides by (dstack, kms/auth-simple/index.ts), and its `dstack-auth` (crates/dstack-auth). Hex with 0x, in
 * small letters; one key for each app.
 */
export const AuthSimple = z.strictObject({
  osImages: z.array(Hex).min(1),
  allowedTcbStatuses: z.array(z.string()).min(1),
  allowedAdvisoryIds: z.array(z.string()),
  gatewayAppId: z.union([z.literal(''), Hex]),
  kms: z.strictObject({ mrAggregated: z.array(Hex), ...Devices }),
  apps: z.record(Hex, z.strictObject({ composeHashes: z.array(Hex).min(1), ...Devices })),
})
export type AuthSimple = z.infer<typeof AuthSimple>

/** What was decided, for the allowlist to hold what is allowed of it. */
export type Decided = {
  readonly apps: readonly Decision[]
  readonly osImages: readonly { readonly hash: Sha256; readonly denied: string | null }[]
}

/** `left`: what is not in it, and why; one line each. */
export type Allowlist = { readonly document: AuthSimple; readonly left: readonly string[] }

/**
 * Writes down what a policy allows at this moment. Fails with `export-no-guest` where it allows no guest at all: in `dstack-auth` an empty list of
 * guest images is no check, and it asks nothing of the platform.
 */
export function authSimple(policy: Policy, { apps, osImages }: Decided): Allowlist {
  const allowed = osImages.filter(({ denied }) => denied === null).map(({ hash }) => hash)
  if (allowed.length === 0) throw noGuest('none of its guest images is allowed')
  if (policy.tcb === null) throw noGuest('it takes no state of the platform')
  const kms = kmsOf(policy, allowed)
  const composes = new Map<string, Set<Sha256>>()
  for (const { app, judged } of apps)
    if (app !== null && judged === 'allow') composes.set(app.id, (composes.get(app.id) ?? new Set()).add(app.composeHash))
  return {
    document: {
      osImages: allowed.map(hex),
      allowedTcbStatuses: [...policy.tcb.statuses],
      allowedAdvisoryIds: [...policy.tcb.advisories],
      gatewayAppId: policy.gatewayAppId === null ? '' : hex(policy.gatewayAppId),
      kms: kms.rules,
      apps: Object.fromEntries(
        [...composes].flatMap(([id, hashes]) => {
          const listed = policy.apps[id]
          return listed === undefined ? [] : [[hex(id), { composeHashes: [...hashes].map(hex), ...devicesOf(listed.devices) }]]
        }),
      ),
    },
    left: [
      ...(policy.mode === 'observe' ? ['the policy only observes, and the file enforces: what would be denied is not in it'] : []),
      ...osImages.flatMap(({ hash, denied }) => (denied === null ? [] : [`guest image ${hash}: ${denied}`])),
      ...kms.left,
      ...apps.flatMap((decision) =>
        decision.app === null || decision.judged === 'allow'
          ? []
          : [`app ${decision.app.id}, compose hash ${decision.app.composeHash}: ${reasonOf(decision)}`],
      ),
    ],
  }
}

/** There is one list of guest images for apps and KMSs: a KMS on another one is left out, since apps could start on it. */
function kmsOf({ kms }: Policy, allowed: readonly Sha256[]): { readonly rules: AuthSimple['kms']; readonly left: readonly string[] } {
  const none = { mrAggregated: [], devices: [], allowAnyDevice: false }
  if (kms === null) return { rules: none, left: ['no KMS: the policy names none'] }
  if (!kms.osImages.some((hash) => allowed.some((one) => one === hash)))
    return { rules: none, left: ['no KMS: its guest image is none of those of apps, and the file has one list for both'] }
  return { rules: { mrAggregated: kms.mrAggregated.map(hex), ...devicesOf(kms.devices) }, left: [] }
}

/** The list of a policy is never empty: in an allowlist that would be any machine. */
function devicesOf(devices: 'any' | readonly string[]): { devices: string[]; allowAnyDevice: boolean } {
  return devices === 'any' ? { devices: [], allowAnyDevice: true } : { devices: devices.map(hex), allowAnyDevice: false }
}

function hex(text: string): string {
  return `0x${text.toLowerCase()}`
}

function noGuest(why: string): Failure {
  return new Failure({
    code: 'export-no-guest',
    message: `the policy lets no guest start: ${why}`,
    hint: 'there is nothing to export: a list without guest images would let any start; see with gate',
  })
}
