import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { withPrefix } from '../../verifier/model/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../verifier/model/oci-types.ts'
import type { Manifest, TagState } from '../app/image-registry.ts'
import { once } from './authorizer.ts'
import { saysDigest } from './blob-read.ts'
import { registryFailure } from './failures.ts'
import type { Answer } from './http-client.ts'
import { parseJson } from './read-body.ts'
import type { RegistrySession } from './session.ts'

const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const DOCKER_INDEX = 'application/vnd.docker.distribution.manifest.list.v2+json'

/** What registries must take at least (distribution-spec 1.1, "Pushing manifests"), and nobody's manifest comes near. */
export const MAX_MANIFEST = 4 * 1024 * 1024

export type Fetched = Manifest & { readonly etag: string | null }

/**
 * A manifest by digest, held against it, or by tag. Null where there is none. The media type is that of the answer; bytes that say another
 * one of themselves, or could be read as image and as index, are refused (CVE-2021-41190).
 */
export async function getManifest(session: RegistrySession, reference: string, signal: AbortSignal): Promise<Fetched | null> {
  const headers = { accept: [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX].join(', ') }
  const { answer, bytes } = await session.fetch({ method: 'GET', at: `manifests/${reference}`, headers, signal }, MAX_MANIFEST)
  if (answer.status === 404) return null
  if (answer.status !== 200) throw registryFailure('registry-answer-malformed', { status: answer.status, action: 'manifest' })
  const sha256 = digestOf(bytes)
  if (reference.startsWith('sha256:') && reference !== withPrefix(sha256))
    throw registryFailure('registry-digest-differs', { sha256: reference.slice(7) })
  if (!saysDigest(answer, sha256)) throw registryFailure('registry-digest-differs', { sha256 })
  const mediaType = (answer.headers['content-type'] ?? '').split(';')[0]?.trim() ?? ''
  refuseAmbiguous(bytes, mediaType)
  return { mediaType, bytes, sha256, etag: etagOf(answer) }
}

/** The answer's ETag, if it can be sent back. */
function etagOf({ headers }: Answer): string | null {
  const { etag } = headers
  return etag !== undefined && /^(?:W\/)?"[\x21\x23-\x7e]{1,200}"$/.test(etag) ? etag : null
}

function refuseAmbiguous(bytes: Uint8Array, mediaType: string): void {
  const value = parseJson(bytes)
  const refused = registryFailure('registry-answer-malformed', { action: 'manifest' })
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw refused
  if ('mediaType' in value && value.mediaType !== mediaType) throw refused
  if ('manifests' in value && ('layers' in value || 'config' in value)) throw refused
}

export type Put = {
  readonly reference: string
  readonly mediaType: string
  readonly bytes: Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

/** Puts a manifest. `precondition-failed`: somebody else wrote there since. `subject`: whether the registry's own API lists it as a referrer. */
export async function putManifest(
  session: RegistrySession,
  put: Put,
  signal: AbortSignal,
): Promise<{ subject: boolean } | 'precondition-failed'> {
  const { answer } = await session.fetch(
    {
      method: 'PUT',
      at: `manifests/${put.reference}`,
      headers: { 'content-type': put.mediaType, ...put.headers },
      body: { size: put.bytes.length, open: () => once(put.bytes) },
      signal,
    },
    MAX_MANIFEST,
  )
  if (answer.status === 412) return 'precondition-failed'
  if (answer.status < 200 || answer.status >= 300) throw registryFailure('registry-refused', { status: answer.status, action: 'manifest' })
  const sha256 = digestOf(put.bytes)
  if (!saysDigest(answer, sha256)) throw registryFailure('registry-digest-differs', { sha256 })
  return { subject: answer.headers['oci-subject'] !== undefined }
}

/** Puts a manifest under its digest where it is not there yet, and reads it back. */
export async function pushManifest(session: RegistrySession, manifest: Manifest, signal: AbortSignal): Promise<'present' | 'pushed'> {
  const reference = withPrefix(manifest.sha256)
  if ((await getManifest(session, reference, signal)) !== null) return 'present'
  await putManifest(session, { ...manifest, reference }, signal)
  if ((await getManifest(session, reference, signal)) === null)
    throw registryFailure('registry-digest-differs', { sha256: manifest.sha256 })
  return 'pushed'
}

/** Lets a tag mean a manifest, and reads back that it does. */
export async function pushTag(session: RegistrySession, o: { manifest: Manifest; tag: string; signal: AbortSignal }): Promise<TagState> {
  const { manifest, tag, signal } = o
  const before = await getManifest(session, tag, signal)
  if (before?.sha256 === manifest.sha256) return { state: 'present' }
  await putManifest(session, { ...manifest, reference: tag }, signal)
  if ((await getManifest(session, tag, signal))?.sha256 !== manifest.sha256)
    throw registryFailure('registry-digest-differs', { sha256: manifest.sha256 })
  return before === null ? { state: 'pushed' } : { state: 'moved', from: before.sha256 }
}
