import type { Sha256 } from '../../../verifier/model/digest.ts'
import { type PinnedReference, parsePinnedReference } from '../../../verifier/model/image-reference.ts'
import { failedCompose } from '../compose/compose-failures.ts'
import { lintCompose } from '../compose/lint-compose.ts'
import { imageNameOf, pinnedImage } from '../compose/pinned-image.ts'
import type { VerifyAttestationPorts } from '../verify-attestation.ts'
import type { BootInfo } from './boot-info.ts'
import { decideGate } from './decide-gate.ts'
import type { Decision } from './decision.ts'
import type { GateFacts, ImageFacts } from './facts.ts'
import { holdAttestations } from './hold-attestations.ts'
import type { LoadedPolicy } from './read-policy.ts'

export type AskGate = {
  readonly policy: LoadedPolicy
  /** An image alone, or the bytes of an app-compose with the id of the app; null: the id that follows from the bytes. */
  readonly subject: { readonly image: PinnedReference } | { readonly appCompose: Uint8Array; readonly appId: string | null }
  /** What a KMS or a gateway says of the guest that wants to run it; null: nobody runs yet. */
  readonly boot: BootInfo | null
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
  const { app, named } = subjectOf(o.subject, o.boot)
  const held = (bundles: readonly Uint8Array[], artifact: Sha256) =>
    holdAttestations(bundles, { policy: o.policy.policy, artifact, trustedRoot: root, now, signal: o.signal })
  const images: ImageFacts[] = []
  for (const { service, reference } of named) {
    const pinned = reference === null ? undefined : pinnedImage(reference)
    if (pinned === undefined) {
      images.push({ service, name: null, digest: null, attestations: [] })
      continue
    }
    const { name, digest } = pinned
    // Nothing is asked about what the policy does not list: its registry is anybody's.
    const listed = Object.hasOwn(o.policy.policy.images, imageNameOf({ name }))
    const bundles = listed
      ? (o.bundles ?? (await ports.bundlesOf(parsePinnedReference(`${imageNameOf({ name })}@sha256:${digest}`), o.signal)).bundles)
      : []
    images.push({ service, name: imageNameOf({ name }), digest, attestations: await held(bundles, digest) })
  }
  // What is attested of guest images lies beside no image.
  const guest =
    o.boot === null
      ? null
      : {
          by: o.boot.by,
          osImage: { hash: o.boot.osImageHash, attestations: await held(o.bundles ?? [], o.boot.osImageHash) },
          deviceId: o.boot.deviceId,
          tcb: o.boot.tcb,
        }
  const facts: GateFacts = { now, images, app, guest }
  return decideGate(o.policy, facts)
}

type Named = { readonly service: string | null; readonly reference: string | null }

function subjectOf(
  subject: AskGate['subject'],
  boot: BootInfo | null,
): { readonly app: GateFacts['app']; readonly named: readonly Named[] } {
  if ('image' in subject) {
    const { registry, repository, digest } = subject.image
    return { app: null, named: [{ service: null, reference: `${registry}/${repository}@sha256:${digest}` }] }
  }
  const lint = lintCompose(subject.appCompose)
  const hash = lint.composeHash
  if (hash === null) throw failedCompose('compose-no-app')
  // What the guest measured counts; bytes that are not of that hash say nothing of it.
  const app = {
    id: boot?.appId ?? subject.appId ?? hash.slice(0, 40),
    compose: { hash: boot?.composeHash ?? hash, lint, admittedBy: null },
  }
  return { app, named: lint.images.map(({ service, image }) => ({ service, reference: image })) }
}
