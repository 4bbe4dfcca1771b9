import type { TrustedRoot } from '../../../attestations/index.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { type PinnedReference, parsePinnedReference } from '../../../verifier/model/image-reference.ts'
import { failedCompose } from '../compose/compose-failures.ts'
import { appIdFrom } from '../compose/compose-hash.ts'
import { lintCompose } from '../compose/lint-compose.ts'
import type { VerifyAttestationPorts } from '../verify-attestation.ts'
import { type AttestationsOf, attestedFacts, guestFacts } from './attested-facts.ts'
import { bundlesBeside } from './beside-image.ts'
import { decideGate } from './decide-gate.ts'
import type { Decision } from './decision.ts'
import type { GateFacts, GuestFacts } from './facts.ts'
import { holdAttestations } from './hold-attestations.ts'
import type { Policy } from './policy.ts'
import type { LoadedPolicy } from './read-policy.ts'

/** A guest that wants to run, or, as its target says, will want to. */
export type AskedGuest = Pick<GuestFacts, 'by' | 'deviceId' | 'tcb'> & {
  readonly appId: string
  readonly composeHash: Sha256
  readonly osImageHash: Sha256 | null
}

export type AskGate = {
  readonly policy: LoadedPolicy
  /** An image alone, or the bytes of an app-compose with the id of the app; null: the id that follows from the bytes. */
  readonly subject: { readonly image: PinnedReference } | { readonly appCompose: Uint8Array; readonly appId: string | null }
  /** What a KMS, a gateway or a target says of the guest that is to run it; null: nobody runs yet. */
  readonly boot: AskedGuest | null
  /** Who admitted the app-compose for the app, as a service authenticated them; null, or not given: nobody. */
  readonly admittedBy?: string | null
  /** Bundles in place of those that lie beside images. */
  readonly bundles: readonly Uint8Array[] | null
  readonly trustedRoot: { readonly file: string | null; readonly refresh: boolean }
  readonly signal: AbortSignal
}

/**
 * Asks the gate before anything runs: about an image, or about all that an app-compose would start. Signatures are verified now. Fails with
 * `compose-no-app`, and as reading bundles, registries and the trusted root do: what could not be asked is no answer.
 */
export async function askGate(ports: Pick<VerifyAttestationPorts, 'now' | 'trustedRoot' | 'bundlesOf'>, o: AskGate): Promise<Decision> {
  const now = ports.now()
  const { root } = await ports.trustedRoot(o.trustedRoot, o.signal)
  const { app, named } = subjectOf(o)
  const { policy } = o.policy
  const attestationsOf = attestationsBeside(ports, { ...o, policy, root, now })
  const { images, osImage } = await attestedFacts(policy, { images: named, osImageHash: o.boot?.osImageHash ?? null }, attestationsOf)
  return decideGate(o.policy, { now, images, app, guest: o.boot === null ? null : guestFacts(o.boot, osImage) })
}

/** What lies beside images in their registries, or the bundles that were given instead. */
export function attestationsBeside(
  ports: Pick<VerifyAttestationPorts, 'bundlesOf'>,
  o: Pick<AskGate, 'bundles' | 'signal'> & { readonly policy: Policy; readonly root: TrustedRoot; readonly now: Date },
): AttestationsOf {
  return async ({ digest, image }) => {
    // What is attested of guest images lies beside no image.
    const beside = async (name: string) => await bundlesBeside(ports, parsePinnedReference(`${name}@sha256:${digest}`), o.signal)
    const bundles = o.bundles ?? (image === null ? [] : await beside(image))
    return await holdAttestations(bundles, { policy: o.policy, artifact: digest, trustedRoot: o.root, now: o.now, signal: o.signal })
  }
}

type Named = { readonly service: string | null; readonly image: string | null }

function subjectOf({ subject, boot, admittedBy = null }: AskGate): { readonly app: GateFacts['app']; readonly named: readonly Named[] } {
  if ('image' in subject) {
    const { registry, repository, digest } = subject.image
    return { app: null, named: [{ service: null, image: `${registry}/${repository}@sha256:${digest}` }] }
  }
  const lint = lintCompose(subject.appCompose)
  const hash = lint.composeHash
  if (hash === null) throw failedCompose('compose-no-app')
  // What the guest measured counts; bytes that are not of that hash say nothing of it.
  const app = {
    id: boot?.appId ?? subject.appId ?? appIdFrom(hash),
    compose: { hash: boot?.composeHash ?? hash, lint, admittedBy },
  }
  return { app, named: lint.images }
}
