import { nameMatches, PREDICATE_TYPE, type TrustedRoot } from '../../../attestations/index.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { attestedFacts, guestFacts } from '../gate/attested-facts.ts'
import type { BootInfo } from '../gate/boot-info.ts'
import { decideGate } from '../gate/decide-gate.ts'
import type { Decision } from '../gate/decision.ts'
import type { ComposeFacts, HeldAttestation } from '../gate/facts.ts'
import type { PolicyApp, PolicySource } from '../gate/policy.ts'
import type { LoadedPolicy } from '../gate/read-policy.ts'
import type { Reads } from '../store/store-ports.ts'
import type { HeldBundles } from './held-bundles.ts'
import type { KnownLints } from './known-lints.ts'
import { identityOf } from './statement-sources.ts'

export type GuestPorts = {
  readonly reads: Pick<Reads, 'attestations' | 'composes'>
  readonly lints: KnownLints
  readonly bundles: HeldBundles
  readonly trustedRoot: () => Promise<TrustedRoot>
  readonly now: () => Date
}

/** Who had an artifact rebuilt from one repository: so many are looked at for those that the policy names. */
const MOST_OWNERS = 10_000
const MOST_OWN = 100
/** Bundles of one artifact that are verified. */
const MOST_BUNDLES = 20

/** An app, and the guest that is to run it, if one is there already; or an image alone, `NAME@sha256:…`. */
export type Asked =
  | { readonly app: { readonly id: string; readonly composeHash: Sha256 }; readonly guest: BootInfo | null }
  | { readonly image: string }

/** Decides about a guest by what the service knows: admitted app-composes, and what it signed of the images in them. */
export async function answerGuest(ports: GuestPorts, policy: LoadedPolicy, info: BootInfo, signal: AbortSignal): Promise<Decision> {
  return await answerGate(ports, policy, { app: { id: info.appId, composeHash: info.composeHash }, guest: info }, signal)
}

/** The same about whatever is asked, though nothing wants to start. */
export async function answerGate(ports: GuestPorts, policy: LoadedPolicy, asked: Asked, signal: AbortSignal): Promise<Decision> {
  const now = ports.now()
  const trustedRoot = await ports.trustedRoot()
  const { app, guest } = 'app' in asked ? asked : { app: null, guest: null }
  const compose = app === null ? null : await composeFacts(ports, policy.policy.apps[app.id], app)
  const named = 'image' in asked ? [{ service: null, image: asked.image }] : (compose?.lint?.images ?? [])
  const about = { images: named, osImageHash: guest?.osImageHash ?? null }
  const { images, osImage } = await attestedFacts(policy.policy, about, ({ digest: artifact, source }) =>
    heldAbout(ports, { policy, artifact, source, trustedRoot, now, signal }),
  )
  return decideGate(policy, {
    now,
    images,
    app: app === null || compose === null ? null : { id: app.id, compose },
    guest: guest === null ? null : guestFacts(guest, osImage),
  })
}

/** Bytes count whoever brought them: they are what the hash says. Who admitted them for this app is asked apart. */
async function composeFacts(
  { reads, lints }: GuestPorts,
  listed: PolicyApp | undefined,
  { id, composeHash: hash }: { readonly id: string; readonly composeHash: Sha256 },
): Promise<ComposeFacts> {
  // Nothing is looked up for an app that the policy does not list: whoever asks needs no token.
  if (listed === undefined || !(await reads.composes.isKept(hash))) return { hash, lint: null, admittedBy: null }
  const lint = await lints.of(hash)
  const admitted = await reads.composes.admittedFor(id, hash)
  const identities = admitted.map(({ owner }) => identityOf(owner))
  const may = identities.find((identity) => listed.admitters.some((pattern) => nameMatches({ pattern }, identity)))
  return { hash, lint, admittedBy: may ?? identities[0] ?? null }
}

async function heldAbout(
  { reads, bundles }: GuestPorts,
  {
    source,
    artifact,
    ...o
  }: { readonly artifact: Sha256; readonly source: PolicySource } & Omit<Parameters<HeldBundles['hold']>[1], 'artifact'>,
): Promise<readonly HeldAttestation[]> {
  const about = { sha256: artifact, repository: source.repository }
  const rebuilders = await reads.attestations.rebuildersOf({ ...about, limit: MOST_OWNERS })
  const own = rebuilders.filter((owner) => source.owners.some((pattern) => nameMatches({ pattern }, identityOf(owner))))
  // Where it is nobody's whom the policy names, the answer says that of the first of them.
  const owners = (own.length === 0 ? rebuilders.slice(0, 1) : own.slice(0, MOST_OWN)).map(({ id }) => id)
  const found = await reads.attestations.about({ ...about, predicateType: PREDICATE_TYPE.reproduced, owners, limit: MOST_BUNDLES })
  const held: HeldAttestation[] = []
  for (const bundle of found) {
    const one = await bundles.hold(bundle, { ...o, artifact })
    if (one !== undefined) held.push(one)
  }
  return held
}
