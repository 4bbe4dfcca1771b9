import type { Sha256 } from '../../../verifier/model/digest.ts'
import { imageNameOf, pinnedImage } from '../compose/pinned-image.ts'
import type { GuestFacts, HeldAttestation, ImageFacts } from './facts.ts'
import type { Policy, PolicySource } from './policy.ts'

/** What is attested of a digest, held against the policy: whoever answers knows a place where that lies. */
export type AttestationsOf = (asked: {
  readonly digest: Sha256
  /** Without tag and digest; null: it is a guest image. */
  readonly image: string | null
  /** What it must have been rebuilt from. */
  readonly source: PolicySource
}) => Promise<readonly HeldAttestation[]>

export type AttestedFacts = {
  readonly images: readonly ImageFacts[]
  /** Null where no guest is asked about. */
  readonly osImage: GuestFacts['osImage']
}

/** Digests that are asked about side by side. */
const AT_ONCE = 8

/**
 * Gathers what is attested of images, and of the guest image that they are to run on. Nothing is asked about what the policy gives no source: it
 * denies that whatever is attested, and the place to ask would be anybody's. What is named twice is asked about once.
 */
export async function attestedFacts(
  policy: Policy,
  about: {
    readonly images: readonly { readonly service: string | null; readonly image: string | null }[]
    readonly osImageHash: Sha256 | null
  },
  attestationsOf: AttestationsOf,
): Promise<AttestedFacts> {
  const images = about.images.map(({ service, image }) => {
    const pinned = image === null ? undefined : pinnedImage(image)
    return { service, name: pinned === undefined ? null : imageNameOf(pinned), digest: pinned?.digest ?? null }
  })
  const asked = new Map<string, Parameters<AttestationsOf>[0]>()
  for (const { name, digest } of images) {
    const source = name === null || digest === null ? undefined : sourceOf(policy, own(policy.images, name)?.source)
    if (digest !== null && source !== undefined) asked.set(keyOf(name, digest), { digest, image: name, source })
  }
  const os = about.osImageHash
  const listed = os === null ? undefined : own(policy.osImages, os)
  const osSource = listed !== undefined && 'source' in listed ? sourceOf(policy, listed.source) : undefined
  if (os !== null && osSource !== undefined) asked.set(keyOf(null, os), { digest: os, image: null, source: osSource })
  const found = new Map<string, readonly HeldAttestation[]>()
  const waiting = [...asked]
  while (waiting.length > 0)
    for (const [key, held] of await Promise.all(waiting.splice(0, AT_ONCE).map(async ([k, o]) => [k, await attestationsOf(o)] as const)))
      found.set(key, held)
  const heldOf = (name: string | null, digest: Sha256 | null): readonly HeldAttestation[] =>
    digest === null ? [] : (found.get(keyOf(name, digest)) ?? [])
  return {
    images: images.map((image) => ({ ...image, attestations: heldOf(image.name, image.digest) })),
    osImage: os === null ? null : { hash: os, attestations: heldOf(null, os) },
  }
}

/** What is said of a guest, with what is attested of its guest image. */
export function guestFacts({ by, deviceId, tcb }: Pick<GuestFacts, 'by' | 'deviceId' | 'tcb'>, osImage: GuestFacts['osImage']): GuestFacts {
  return { by, osImage, deviceId, tcb }
}

function sourceOf({ sources }: Policy, name: string | undefined): PolicySource | undefined {
  return name === undefined ? undefined : own(sources, name)
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

function keyOf(image: string | null, digest: Sha256): string {
  return `${digest} ${image ?? ''}`
}
