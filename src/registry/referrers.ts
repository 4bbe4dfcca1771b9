import { type Sha256, withPrefix } from '../../verifier/model/digest.ts'
import { OCI_EMPTY, OCI_INDEX } from '../../verifier/model/oci-types.ts'
import type { Descriptor, Referrers } from '../app/image-registry.ts'
import { readDescriptor } from './descriptor.ts'
import { registryFailure } from './failures.ts'
import { getManifest, MAX_MANIFEST } from './manifests.ts'
import { parseJson } from './read-body.ts'
import type { RegistrySession } from './session.ts'

const MAX_PAGES = 50
const MAX_ENTRIES = 1000

/**
 * What is attached to a manifest, of one artifact type (distribution-spec 1.1, "Listing Referrers"): from the registry's API, or where it
 * has none from the tag `sha256-…`. A registry may leave the filter to us, so everything is looked at again here.
 */
export async function listReferrers(
  session: RegistrySession,
  o: { subject: Sha256; artifactType: string; signal: AbortSignal },
): Promise<Referrers> {
  const query = `?artifactType=${encodeURIComponent(o.artifactType)}`
  let at: string | URL = `referrers/${withPrefix(o.subject)}${query}`
  const entries: Descriptor[] = []
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { answer, bytes } = await session.fetch({ method: 'GET', at, headers: { accept: OCI_INDEX }, signal: o.signal }, MAX_MANIFEST)
    const isIndex = (answer.headers['content-type'] ?? '').split(';')[0]?.trim() === OCI_INDEX
    if (page === 0 && (answer.status === 404 || answer.status === 405 || answer.status === 406 || (answer.status === 200 && !isIndex)))
      return await fromFallbackTag(session, o)
    if (answer.status !== 200 || !isIndex)
      throw registryFailure('registry-answer-malformed', { status: answer.status, action: 'referrers' })
    entries.push(...ofType(readIndex(bytes), o.artifactType))
    if (entries.length > MAX_ENTRIES) break
    const next = nextPage(answer.headers['link'])
    if (next === undefined) return { via: 'referrers-api', entries, truncated: false }
    at = await session.pageUrl(next, at)
  }
  return { via: 'referrers-api', entries: entries.slice(0, MAX_ENTRIES), truncated: true }
}

async function fromFallbackTag(
  session: RegistrySession,
  o: { subject: Sha256; artifactType: string; signal: AbortSignal },
): Promise<Referrers> {
  const index = await getManifest(session, fallbackTag(o.subject), o.signal)
  const listed = index === null || index.mediaType !== OCI_INDEX ? [] : readIndex(index.bytes)
  const entries = ofType(listed, o.artifactType, UNTYPED)
  return { via: 'fallback-tag', entries: entries.slice(0, MAX_ENTRIES), truncated: entries.length > MAX_ENTRIES }
}

export function fallbackTag(subject: Sha256): string {
  return `sha256-${subject}`
}

/** The entries of an index, as they stand there. Throws `registry-answer-malformed` for what is none. */
export function readIndex(bytes: Uint8Array): readonly unknown[] {
  const index = parseJson(bytes) as { manifests?: unknown } | null | undefined
  // Go writes a list of nothing as null.
  const manifests = index?.manifests === null ? [] : index?.manifests
  if (!Array.isArray(manifests)) throw registryFailure('registry-answer-malformed', { action: 'referrers' })
  return manifests as unknown[]
}

/**
 * Who writes the tag may know no better: cosign 3 writes the type of the empty config in the place of the artifact's. Such an entry can be
 * anything.
 */
const UNTYPED = OCI_EMPTY

function ofType(raw: readonly unknown[], artifactType: string, untyped?: string): Descriptor[] {
  const entries = raw.flatMap((value) => readDescriptor(value) ?? [])
  if (untyped === undefined) return entries.filter((entry) => entry.artifactType === artifactType)
  return entries
    .map((entry) => (entry.artifactType === untyped ? { ...entry, artifactType: null } : entry))
    .filter((entry) => entry.artifactType === artifactType || entry.artifactType === null)
}

/** The target of `<…>; rel="next"` (RFC 8288). */
function nextPage(link: string | string[] | undefined): string | undefined {
  const header = typeof link === 'string' ? link : ''
  return header.length > 8192 ? undefined : /<([^<>]*)>\s*;\s*rel="?next"?/.exec(header)?.[1]
}
