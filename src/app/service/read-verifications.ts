import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import type { RecipeReading } from '../../../verifier/model/recipe.ts'
import type { Page, PageRequest } from '../store/page.ts'
import type { Attestation, Known, Owner, SigningTask, Verification } from '../store/records.ts'
import type { Reads, VerificationFilter } from '../store/store-ports.ts'

export type ReadPorts = { readonly reads: Reads }

/** A verification with what belongs to it wherever it is shown. */
export type VerificationRead = {
  readonly verification: Verification
  readonly owner: Owner
  readonly attestations: readonly Attestation[]
  readonly waiting: readonly SigningTask[]
}

export type KnownRead = Pick<Known, 'key' | 'subjects' | 'count' | 'firstAt'> & { readonly newest: VerificationRead }

/** Fails with `verification-unknown`. */
export async function readVerification({ reads }: ReadPorts, id: string): Promise<VerificationRead> {
  const [read] = await complete(reads, [await mustRead(reads, id)])
  if (read === undefined) throw verificationUnknown()
  return read
}

/** What was read from its recipe. Fails with `verification-unknown`, or `recipe-unread` where that is still to come or never came. */
export async function readRecipe({ reads }: ReadPorts, id: string): Promise<RecipeReading> {
  const recipe = await reads.verifications.recipe(id)
  if (recipe === undefined) throw verificationUnknown()
  if (recipe !== null) return recipe
  throw new Failure({
    code: 'recipe-unread',
    message: 'the recipe of this verification has not been read',
    hint: 'wait until its source is pinned; where the verification is over, its reasons say why that never was',
  })
}

/** Fails with `cursor-malformed` or `page-limit`. */
export async function listVerifications(
  { reads }: ReadPorts,
  filter: VerificationFilter,
  request: PageRequest,
): Promise<Page<VerificationRead>> {
  const page = await reads.verifications.page(filter, request)
  return { items: await complete(reads, page.items), next: page.next }
}

/** Everything known about a digest. Fails like `listVerifications`. */
export async function knownAbout(
  { reads }: ReadPorts,
  sha256: Sha256,
  { request, source, owner }: { request: PageRequest } & Pick<VerificationFilter, 'source' | 'owner'>,
): Promise<Page<KnownRead>> {
  const page = await reads.verifications.known(sha256, request, { source, owner })
  const read = await complete(
    reads,
    page.items.map(({ verification }) => verification),
  )
  const items = page.items.flatMap(({ verification: _verification, ...known }, index) => {
    const newest = read[index]
    return newest === undefined ? [] : [{ ...known, newest }]
  })
  return { items, next: page.next }
}

/** All verifications behind one entry of `knownAbout`. Fails like `listVerifications`. */
export async function knownHistory(
  { reads }: ReadPorts,
  { sha256, key }: { readonly sha256: Sha256; readonly key: Sha256 },
  request: PageRequest,
): Promise<Page<VerificationRead>> {
  const page = await reads.verifications.knownBy(sha256, key, request)
  return { items: await complete(reads, page.items), next: page.next }
}

export function verificationUnknown(): Failure {
  return new Failure({ code: 'verification-unknown', message: 'there is no such verification', hint: 'check its id' })
}

async function mustRead(reads: Reads, id: string): Promise<Verification> {
  const verification = await reads.verifications.read(id)
  if (verification === undefined) throw verificationUnknown()
  return verification
}

/** Three statements, however many they are. */
async function complete(reads: Reads, verifications: readonly Verification[]): Promise<readonly VerificationRead[]> {
  const ids = verifications.map(({ id }) => id)
  const [owners, attestations, waiting] = await Promise.all([
    reads.owners.among([...new Set(verifications.map(({ ownerId }) => ownerId))]),
    reads.attestations.among(ids),
    reads.attestations.waiting(ids),
  ])
  const of = <T extends { readonly verificationId: string | null }>(all: readonly T[], id: string): readonly T[] =>
    all.filter(({ verificationId }) => verificationId === id)
  return verifications.map((verification) => {
    const owner = owners.find(({ id }) => id === verification.ownerId)
    // A foreign key of the table rules it out.
    if (owner === undefined) throw new TypeError('a verification of nobody')
    return { verification, owner, attestations: of(attestations, verification.id), waiting: of(waiting, verification.id) }
  })
}
