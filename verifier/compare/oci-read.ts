import { lstat, readdir } from 'node:fs/promises'
import path from 'node:path'
import { digestOf } from '../bytes/digest-of.ts'
import { readSmallFile } from '../bytes/small-file.ts'
import { Sha256 } from '../model/digest.ts'
import { Failure } from '../model/failure.ts'
import { OCI_CONFIG, OCI_MANIFEST } from '../model/oci-types.ts'
import { parseStrictJson } from '../model/strict-json.ts'
import type { Digested } from './canonical-tar.ts'
import { digestFile } from './digest-file.ts'
import { type OciBlob } from './oci-image.ts'

export type OciContents = {
  readonly manifest: OciBlob
  readonly config: OciBlob
  /** As stored, in order, with the file that holds each. */
  readonly layers: readonly (Digested & { readonly mediaType: string; readonly path: string })[]
}

const MAX_JSON = 4 * 1024 * 1024
const MAX_LAYERS = 128
/** Of lists and objects in one another; what reads them further calls itself for each. */
const MAX_DEPTH = 64

/**
 * Reads an OCI image layout folder (as mkosi's Format=oci writes it) that holds exactly one image. The digest and size of every blob are
 * checked against what names it. Rejects with `oci-layout-unsupported`, `oci-layout-malformed`, `oci-blob-differs`.
 */
export async function readOciLayout(dir: string): Promise<OciContents> {
  const layout = object(parse(await small(path.join(dir, 'oci-layout'))))
  if (layout['imageLayoutVersion'] !== '1.0.0') throw unsupported('its layout version is not 1.0.0')
  const index = object(parse(await small(path.join(dir, 'index.json'))))
  const [entry, ...others] = list(index['manifests'])
  if (entry === undefined || others.length > 0) throw unsupported('it does not hold exactly one image')
  const head = reference(entry)
  if (head.mediaType !== OCI_MANIFEST) throw unsupported('its index names no image manifest')
  const manifest = await jsonBlob(dir, head)
  const fields = object(parse(manifest.bytes))
  const configReference = reference(fields['config'])
  if (configReference.mediaType !== OCI_CONFIG) throw unsupported('it is an artifact, not an image')
  const config = await jsonBlob(dir, configReference)
  object(parse(config.bytes))
  const references = list(fields['layers']).map(reference)
  if (references.length > MAX_LAYERS) throw unsupported(`it has more than ${MAX_LAYERS} layers`)
  const layers = []
  for (const layer of references) layers.push({ ...layer, path: await checkedBlob(dir, layer) })
  await refuseStrays(dir, new Set([head, configReference, ...references].map(({ sha256 }) => sha256)))
  return { manifest, config, layers }
}

type Reference = Digested & { readonly mediaType: string }

function blobPath(dir: string, sha256: string): string {
  return path.join(dir, 'blobs', 'sha256', sha256)
}

async function jsonBlob(dir: string, of: Reference): Promise<OciBlob> {
  const bytes = await small(blobPath(dir, of.sha256))
  if (bytes.length !== of.size || digestOf(bytes) !== of.sha256) throw differs(of)
  return { bytes, sha256: of.sha256 }
}

async function checkedBlob(dir: string, of: Reference): Promise<string> {
  const file = blobPath(dir, of.sha256)
  const stats = await lstat(file).catch(() => undefined)
  if (stats?.isFile() !== true || stats.size !== of.size || (await digestFile(file)).sha256 !== of.sha256) throw differs(of)
  return file
}

/** Blobs that nothing names would travel with the image unseen. */
async function refuseStrays(dir: string, named: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(path.join(dir, 'blobs', 'sha256')))
    if (!named.has(name)) throw unsupported('it holds blobs that no manifest names')
}

/** Small files only, and only plain ones: a layout may come from anybody. */
async function small(file: string): Promise<Buffer> {
  const { bytes } = await readSmallFile(file, { maxBytes: MAX_JSON, follow: false })
  if (bytes === null) throw malformed()
  return bytes
}

function parse(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(bytes, { maxBytes: MAX_JSON, maxDepth: MAX_DEPTH })
  } catch {
    throw malformed()
  }
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw malformed()
  return value as Readonly<Record<string, unknown>>
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed()
  return value
}

function reference(value: unknown): Reference {
  const { digest, size, mediaType } = object(value)
  const sha256 = Sha256.safeParse(typeof digest === 'string' && digest.startsWith('sha256:') ? digest.slice(7) : undefined)
  if (!sha256.success || !Number.isSafeInteger(size) || typeof mediaType !== 'string') throw malformed()
  return { sha256: sha256.data, size: size as number, mediaType }
}

const HINT = 'give an OCI image layout with one image, as mkosi writes it with Format=oci'

function malformed(): Failure {
  return new Failure({ code: 'oci-layout-malformed', message: 'the OCI image layout cannot be read', hint: HINT })
}

function unsupported(why: string): Failure {
  return new Failure({
    code: 'oci-layout-unsupported',
    message: `the OCI image layout is not one that can be compared: ${why}`,
    hint: HINT,
  })
}

function differs(of: Reference): Failure {
  return new Failure({
    code: 'oci-blob-differs',
    message: 'a blob is missing, or is not what its digest and size say',
    hint: 'copy the image again',
    data: { sha256: of.sha256 },
  })
}
