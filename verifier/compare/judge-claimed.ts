import type { Artifact } from '../model/attempt.ts'
import type { Claim } from '../model/claim.ts'
import type { Comparison, Transformation } from '../model/comparison.ts'
import type { Sha256 } from '../model/digest.ts'
import { OCI_LAYER } from '../model/oci-types.ts'
import type { Claimed, ClaimedTar } from './claimed.ts'
import type { Compression } from './decompress.ts'
import { stableJson } from './oci-image.ts'

/** What was built, as far as an image claim needs it: the bytes of manifest and config, canonical digests of the layers. */
export type BuiltImage = { readonly manifest: Uint8Array; readonly config: Uint8Array; readonly layers: readonly Sha256[] }

type Held = {
  readonly claim: Claim
  /** Index into claims[]. */
  readonly index: number
  readonly attempt: number
  readonly artifact: Artifact
  /** Needed for claims on an image. */
  readonly image: BuiltImage | null
}

type Judged = Pick<Comparison, 'result' | 'tier' | 'transformations' | 'reason'>

/** The claimed bytes against one artifact, in canonical form: at best `content-equal`, unless the bits are the same. A pure function. */
export function judgeClaimed(claimed: Claimed, held: Held): Comparison {
  const { claim, artifact } = held
  const built = claim.kind === 'oci-manifest' ? (artifact.oci?.manifest ?? artifact.sha256) : artifact.sha256
  return {
    claim: held.index,
    left: { attempt: held.attempt, artifact: artifact.name, sha256: built },
    right: { attempt: null, artifact: claim.name, sha256: claim.sha256 },
    ...judge(claimed, held),
  }
}

function judge(claimed: Claimed, held: Held): Judged {
  if (held.artifact.notComparable !== null) return notComparable(held.artifact.notComparable)
  if (claimed.kind === 'oci') return judgeImage(claimed, held)
  const one = judgeTar(claimed.file, held.artifact.sha256)
  if (one.result !== 'equal' || !claimed.ofCompressed) return one
  return equal([...one.transformations, 'compression'])
}

function judgeTar(claimed: ClaimedTar, built: Sha256): Judged {
  if (claimed.sha256 === built) return equal([])
  if (claimed.canonical === null) return notComparable(claimed.refusal ?? 'the claimed bytes have no canonical form')
  return claimed.canonical.canonical.sha256 === built ? equal(claimed.canonical.transformations) : different(null)
}

function judgeImage(claimed: Extract<Claimed, { kind: 'oci' }>, { artifact, image }: Held): Judged {
  if (artifact.oci?.manifest === claimed.image.manifest.sha256) return equal([])
  if (image === null) return notComparable('the artifact is no image')
  const diffIds = diffIdsOf(claimed.image.config.bytes)
  if (diffIds.length !== claimed.layers.length || claimed.layers.some((layer, index) => diffIds[index] !== `sha256:${layer.sha256}`))
    return notComparable("the claimed config's diff_ids are not those of its layers")
  if (claimed.layers.length !== image.layers.length) return different('the images have different numbers of layers')
  if (claimed.layers.some((layer, index) => claimed.image.layers[index]?.mediaType !== LAYER_TYPES[layer.compression]))
    return different('a layer is not what its media type says')
  const layers = claimed.layers.map((layer, index) => judgeLayer(layer, image.layers[index]))
  const unequal = layers.find((one) => one.result === 'not-comparable') ?? layers.find((one) => one.result !== 'equal')
  if (unequal !== undefined) return unequal
  if (configText(claimed.image.config.bytes, diffIds, image.layers) !== text(image.config)) return different('the image configs differ')
  if (annotations(claimed.image.manifest.bytes) !== annotations(image.manifest))
    return different('the image manifests differ in more than their layers')
  const transformations = [...new Set(layers.flatMap((one) => one.transformations))]
  // Only other bytes of a layer can account for another manifest: without them the manifest itself is written otherwise.
  return transformations.length === 0 ? different('the image manifests are written differently') : equal(transformations)
}

/** By these words an engine decides how to unpack a layer, and whether to (image-spec, layer.md); for xz there are none. */
const LAYER_TYPES: Readonly<Record<Compression, string | null>> = {
  none: OCI_LAYER,
  gzip: `${OCI_LAYER}+gzip`,
  zstd: `${OCI_LAYER}+zstd`,
  xz: null,
}

function judgeLayer(layer: ClaimedTar, built: Sha256 | undefined): Judged {
  if (built === undefined) return different(null)
  const one = judgeTar(layer, built)
  return one.result === 'equal' && layer.compression !== 'none' ? equal([...one.transformations, 'compression']) : one
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

function diffIdsOf(config: Uint8Array): readonly unknown[] {
  const { rootfs } = JSON.parse(text(config)) as { rootfs?: { diff_ids?: unknown } }
  return Array.isArray(rootfs?.diff_ids) ? rootfs.diff_ids : []
}

/** The claimed config byte for byte, with each layer's digest replaced by that of its canonical form, which was found equal to ours. */
function configText(config: Uint8Array, diffIds: readonly unknown[], layers: readonly Sha256[]): string {
  return diffIds.reduce<string>((whole, diffId, index) => whole.replace(`"${String(diffId)}"`, `"sha256:${layers[index]}"`), text(config))
}

/** All that a manifest says beyond digests, sizes and compression, which follow from config and layers. */
function annotations(manifest: Uint8Array): string {
  const { config, layers, ...others } = JSON.parse(text(manifest)) as Record<string, unknown>
  return stableJson({ ...others, described: [config, ...(Array.isArray(layers) ? (layers as unknown[]) : [])].map(withoutDigest) })
}

function withoutDigest(reference: unknown): unknown {
  const { digest: _digest, size: _size, mediaType: _mediaType, ...rest } = (reference ?? {}) as Record<string, unknown>
  return rest
}

function equal(transformations: readonly Transformation[]): Judged {
  return {
    result: 'equal',
    tier: transformations.length === 0 ? 'bit-exact' : 'content-equal',
    transformations: [...transformations],
    reason: null,
  }
}

function different(reason: string | null): Judged {
  return { result: 'different', tier: null, transformations: [], reason }
}

function notComparable(reason: string): Judged {
  return { result: 'not-comparable', tier: null, transformations: [], reason }
}
