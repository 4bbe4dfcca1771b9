import { PREDICATE_TYPE } from '../../../attestations/statement/predicate-types.ts'
import { nameMatches } from '../../../attestations/verify/name-match.ts'
import type { TrustedRoot } from '../../../attestations/verify/trusted-root.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { type AttestationsOf, type AttestedFacts, attestedFacts, guestFacts } from '../gate/attested-facts.ts'
import { decideGate } from '../gate/decide-gate.ts'
import type { Decision } from '../gate/decision.ts'
import type { ComposeFacts, GuestFacts } from '../gate/facts.ts'
import type { PolicyApp, PolicySource } from '../gate/policy.ts'
import type { LoadedPolicy } from '../gate/read-policy.ts'
import type { Reads } from '../store/store-ports.ts'
import type { HeldBundle, HeldBundles } from './held-bundles.ts'
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

/** A guest that is there already, or, as its target says, will be. */
type AskedGuest = Pick<GuestFacts, 'by' | 'deviceId' | 'tcb'> & { readonly osImageHash: Sha256 | null }

/** An app, and the guest that is to run it, if one is known; or an image alone, `NAME@sha256:…`. */
export type Asked =
  | { readonly app: { readonly id: string; readonly composeHash: Sha256 }; readonly guest: AskedGuest | null }
  | { readonly image: string }

/** What the service knows: the app-compose that was admitted, and what it signed of the images in it. */
export type Found = AttestedFacts & {
  /** Null where no app is asked about. */
  readonly compose: ComposeFacts | null
  /** When the oldest of it was so, ms. */
  readonly asOf: number
}

export type FindOut = { readonly policy: LoadedPolicy; readonly trustedRoot: TrustedRoot; readonly now: Date; readonly signal: AbortSignal }

/** Decides about whatever is asked by what the service knows, though nothing wants to start. */
export async function answerGate(ports: GuestPorts, policy: LoadedPolicy, asked: Asked, signal: AbortSignal): Promise<Decision> {
  const now = ports.now()
  const found = await findOut(ports, asked, { policy, trustedRoot: await ports.trustedRoot(), now, signal })
  return decideFound(policy, asked, found, now)
}

export async function findOut(ports: GuestPorts, asked: Asked, o: FindOut): Promise<Found> {
  const { policy } = o.policy
  let asOf = o.now.getTime()
  const { app, guest } = 'app' in asked ? asked : { app: null, guest: null }
  const compose = app === null ? null : await composeFacts(ports, policy.apps[app.id], app)
  const images = 'image' in asked ? [{ service: null, image: asked.image }] : (compose?.lint?.images ?? [])
  const about = { images, osImageHash: guest?.osImageHash ?? null }
  const attested = await attestedFacts(policy, about, async ({ digest: artifact, source }) => {
    const held = await heldAbout(ports, { ...o, artifact, source })
    asOf = Math.min(asOf, ...held.map(({ at }) => at))
    return held.map((one) => one.held)
  })
  return { ...attested, compose, asOf }
}

/** What this service signed of a digest, held against a policy. */
export function signedHere(ports: GuestPorts, o: FindOut): AttestationsOf {
  return async ({ digest: artifact, source }) => (await heldAbout(ports, { ...o, artifact, source })).map(({ held }) => held)
}

/** A pure function. */
export function decideFound(policy: LoadedPolicy, asked: Asked, { images, osImage, compose }: Found, now: Date): Decision {
  const { app, guest } = 'app' in asked ? asked : { app: null, guest: null }
  return decideGate(policy, {
    now,
    images,
    app: app === null || compose === null ? null : { id: app.id, compose },
    guest: guest === null ? null : guestFacts(guest, osImage ?? unattested(guest)),
  })
}

/** Of a guest image that was not looked up nothing is attested. */
function unattested({ osImageHash: hash }: AskedGuest): Found['osImage'] {
  return hash === null ? null : { hash, attestations: [] }
}

/** Bytes count whoever brought them: they are what the hash says. Who admitted them for this app is asked apart. */
async function composeFacts(
  { reads, lints }: GuestPorts,
  listed: PolicyApp | undefined,
  { id, composeHash: hash }: { readonly id: string; readonly composeHash: Sha256 },
): Promise<ComposeFacts> {
  const unknown = { hash, lint: null, admittedBy: null }
  // Nothing is looked up for an app that the policy does not list: whoever asks needs no token.
  if (listed === undefined) return unknown
  const [kept, admitted] = await Promise.all([reads.composes.isKept(hash), reads.composes.admittedFor(id, hash)])
  if (!kept) return unknown
  const lint = await lints.of(hash)
  const identities = admitted.map(({ owner }) => identityOf(owner))
  const may = identities.find((identity) => listed.admitters.some((pattern) => nameMatches({ pattern }, identity)))
  return { hash, lint, admittedBy: may ?? identities[0] ?? null }
}

async function heldAbout(
  { reads, bundles }: GuestPorts,
  { source, artifact, ...o }: FindOut & { readonly artifact: Sha256; readonly source: PolicySource },
): Promise<readonly HeldBundle[]> {
  const about = { sha256: artifact, repository: source.repository }
  const rebuilders = await reads.attestations.rebuildersOf({ ...about, limit: MOST_OWNERS })
  const own = rebuilders.filter((owner) => source.owners.some((pattern) => nameMatches({ pattern }, identityOf(owner))))
  // Where it is nobody's whom the policy names, the answer says that of the first of them.
  const owners = (own.length === 0 ? rebuilders.slice(0, 1) : own.slice(0, MOST_OWN)).map(({ id }) => id)
  const found = await reads.attestations.about({ ...about, predicateType: PREDICATE_TYPE.reproduced, owners, limit: MOST_BUNDLES })
  const held: HeldBundle[] = []
  for (const bundle of found) {
    const one = await bundles.hold(bundle, { ...o, artifact })
    if (one !== undefined) held.push(one)
  }
  return held
}
