import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import type { VerifyAttestationPorts } from '../verify-attestation.ts'
import { type AskGate, askGate, attestationsBeside } from './ask-gate.ts'
import { type Allowlist, authSimple } from './auth-simple.ts'
import type { Decision } from './decision.ts'
import { judgedOsImages } from './judged-os-images.ts'
import type { Policy } from './policy.ts'

export type ExportPolicy = Pick<AskGate, 'policy' | 'bundles' | 'trustedRoot' | 'signal'> & {
  /** app-compose.json files. */
  readonly composes: readonly Uint8Array[]
  /** Null: all apps of the policy that list the app-compose. */
  readonly appId: string | null
}

/** Decides about each app-compose now, and gives what is allowed as an allowlist. Fails as `askGate` and `authSimple` do. */
export async function exportPolicy(
  ports: Pick<VerifyAttestationPorts, 'now' | 'trustedRoot' | 'bundlesOf'>,
  o: ExportPolicy,
): Promise<Allowlist> {
  const now = ports.now()
  const { policy } = o.policy
  const { root } = await ports.trustedRoot(o.trustedRoot, o.signal)
  const osImages = await judgedOsImages(o.policy, now, attestationsBeside(ports, { ...o, policy, root, now }))
  const apps: Decision[] = []
  for (const appCompose of o.composes)
    for (const appId of o.appId === null ? Object.keys(policy.apps) : [o.appId]) {
      const decision = await askGate(ports, { ...o, subject: { appCompose, appId }, boot: null })
      // Where no app is named, of those that do not list it nothing was asked.
      const listed = policy.apps[appId]?.composes.some((one) => one === decision.app?.composeHash) === true
      if (listed || o.appId !== null) apps.push(decision)
    }
  const { document, left } = authSimple(policy, { apps, osImages })
  return { document, left: [...left, ...notBrought(policy, o)] }
}

/** What the policy lists, and nobody brought the bytes of: what it would start cannot be looked at. */
function notBrought({ apps }: Policy, { composes, appId }: ExportPolicy): readonly string[] {
  const brought = new Set(composes.map(digestOf))
  return Object.entries(apps)
    .filter(([id]) => appId === null || id === appId)
    .flatMap(([id, app]) =>
      app.composes
        .filter((hash) => !brought.has(hash))
        .map((hash) => `app ${id}, compose hash ${hash}: its app-compose was not given; give it by --app-compose`),
    )
}
