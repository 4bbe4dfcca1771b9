import type { Sha256 } from '../../verifier/model/digest.ts'
import { OCI_INDEX } from '../../verifier/model/oci-types.ts'
import type { Descriptor, Manifest, ReferrersVia } from '../app/image-registry.ts'
import { descriptorJson, readDescriptor } from './descriptor.ts'
import { registryFailure } from './failures.ts'
import { getManifest, MAX_MANIFEST, putManifest } from './manifests.ts'
import { fallbackTag, listReferrers, readIndex } from './referrers.ts'
import { backoff } from './retry.ts'
import type { RegistrySession } from './session.ts'

const MAX_TRIES = 10
/** Longer than others take from reading the list to writing it: whoever read before we wrote has written by then. */
const SETTLE_MS = 400

/**
 * Puts a manifest that refers to another one, and sees to it that the list of referrers names it. A registry with the API says so in its
 * answer (OCI-Subject); for others a tag holds the list, which everybody reads, changes and writes (distribution-spec 1.1, "Pushing
 * Manifests with Subject"). Such a write can undo another one that came between: where the registry gives an ETag the write is made to
 * depend on it, and in any case the list is read again, at once and a moment later, and written again where the entry is lost.
 */
export async function pushReferrer(
  session: RegistrySession,
  o: { referrer: Manifest; subject: Sha256; entry: Descriptor; signal: AbortSignal },
): Promise<ReferrersVia> {
  const { referrer, subject, entry, signal } = o
  const reference = `sha256:${referrer.sha256}`
  const put = await putManifest(session, { ...referrer, reference }, signal)
  if (put === 'precondition-failed') throw registryFailure('registry-refused', { status: 412, action: 'manifest' })
  if ((await getManifest(session, reference, signal)) === null)
    throw registryFailure('registry-digest-differs', { sha256: referrer.sha256 })
  if (put.subject) return 'referrers-api'
  // Some have the API and do not say so.
  const listed = await listReferrers(session, { subject, artifactType: entry.artifactType ?? entry.mediaType, signal })
  if (listed.via === 'referrers-api' && listed.entries.some(({ sha256 }) => sha256 === entry.sha256)) return 'referrers-api'
  for (let made = 1; made <= MAX_TRIES; made += 1) {
    if (await written(session, { subject, entry, signal })) return 'fallback-tag'
    await session.pace.wait(backoff(Math.min(made, 3), session.pace), signal)
  }
  throw registryFailure('registry-referrers-contended', { sha256: subject })
}

/** One reading and writing of the list; whether the entry is in it afterwards, and stays. */
async function written(session: RegistrySession, o: { subject: Sha256; entry: Descriptor; signal: AbortSignal }): Promise<boolean> {
  const { subject, entry, signal } = o
  const tag = fallbackTag(subject)
  const before = await getManifest(session, tag, signal)
  if (before !== null && before.mediaType !== OCI_INDEX) throw registryFailure('registry-answer-malformed', { action: 'referrers' })
  const entries = before === null ? [] : readIndex(before.bytes)
  if (!names(entries, entry)) {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [...entries, descriptorJson(entry)] }))
    if (bytes.length > MAX_MANIFEST) throw registryFailure('registry-answer-too-large', { limit: MAX_MANIFEST })
    const headers: Record<string, string> =
      before === null ? { 'if-none-match': '*' } : before.etag === null ? {} : { 'if-match': before.etag }
    const put = await putManifest(session, { reference: tag, mediaType: OCI_INDEX, bytes, headers }, signal)
    if (put === 'precondition-failed') return false
    const now = await getManifest(session, tag, signal)
    if (now === null || !names(readIndex(now.bytes), entry)) return false
  }
  return await settled(session, o)
}

async function settled(
  session: RegistrySession,
  { subject, entry, signal }: { subject: Sha256; entry: Descriptor; signal: AbortSignal },
): Promise<boolean> {
  await session.pace.wait(SETTLE_MS * (1 + session.pace.random()), signal)
  const now = await getManifest(session, fallbackTag(subject), signal)
  return now !== null && now.mediaType === OCI_INDEX && names(readIndex(now.bytes), entry)
}

function names(entries: readonly unknown[], { sha256 }: Descriptor): boolean {
  return entries.some((value) => readDescriptor(value)?.sha256 === sha256)
}
