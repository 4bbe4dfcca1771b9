import { digestOf } from '../bytes/digest-of.ts'
import { Sha256 } from '../model/digest.ts'
import { Failure } from '../model/failure.ts'
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../model/oci-types.ts'
import type { ImageConfig } from '../model/recipe.ts'

export type OciBlob = { readonly bytes: Uint8Array; readonly sha256: Sha256 }
export type OciLayer = { readonly sha256: Sha256; readonly size: number }
export type OciImage = { readonly manifest: OciBlob; readonly config: OciBlob; readonly layer: OciLayer }

/** Debian's word for an architecture to Go's, which OCI uses. */
const PLATFORMS: Readonly<Record<string, { readonly architecture: string; readonly variant?: string }>> = {
  amd64: { architecture: 'amd64' },
  arm64: { architecture: 'arm64', variant: 'v8' },
  armhf: { architecture: 'arm', variant: 'v7' },
  i386: { architecture: '386' },
  ppc64el: { architecture: 'ppc64le' },
  riscv64: { architecture: 'riscv64' },
  s390x: { architecture: 's390x' },
}

/**
 * Packs a canonical tar as an OCI image (image-spec 1.1) with one uncompressed layer, so that layer digest, diff_id and artifact digest
 * are one. A pure function: equal arguments give equal bytes. `created` is SOURCE_DATE_EPOCH in seconds, `architecture` Debian's word;
 * throws `oci-architecture-unknown`, `oci-created-invalid`.
 */
export function packOci(o: { layer: OciLayer; created: number; architecture: string; config: ImageConfig }): OciImage {
  const platform = Object.hasOwn(PLATFORMS, o.architecture) ? PLATFORMS[o.architecture] : undefined
  if (platform === undefined)
    throw new Failure({
      code: 'oci-architecture-unknown',
      message: 'there is no OCI name for this architecture',
      hint: `use one of ${Object.keys(PLATFORMS).join(', ')}`,
    })
  const created = timestamp(o.created)
  const config = blob({
    ...platform,
    created,
    os: 'linux',
    config: runtimeConfig(o.config),
    rootfs: { type: 'layers', diff_ids: [`sha256:${o.layer.sha256}`] },
    history: [{ created, created_by: 'bitwitness/oci/v1' }],
  })
  const manifest = blob({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptor(OCI_CONFIG, { sha256: config.sha256, size: config.bytes.length }),
    layers: [descriptor(OCI_LAYER, o.layer)],
  })
  return { manifest, config, layer: o.layer }
}

export function descriptor(mediaType: string, of: { sha256: Sha256; size: number }): { digest: string; mediaType: string; size: number } {
  return { digest: `sha256:${of.sha256}`, mediaType, size: of.size }
}

/** JSON with sorted keys and no spaces: one value, one text. */
export function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

function blob(value: unknown): OciBlob {
  const bytes = Buffer.from(stableJson(value))
  return { bytes, sha256: digestOf(bytes) }
}

/** What is not stated is left out, so that a recipe without a config gives an image without one. */
function runtimeConfig(config: ImageConfig): Record<string, unknown> {
  return {
    ...(config.user === null ? {} : { User: config.user }),
    ...(config.exposedPorts.length === 0 ? {} : { ExposedPorts: Object.fromEntries(config.exposedPorts.map((port) => [port, {}])) }),
    ...(config.env.length === 0 ? {} : { Env: config.env }),
    ...(config.entrypoint.length === 0 ? {} : { Entrypoint: config.entrypoint }),
    ...(config.cmd.length === 0 ? {} : { Cmd: config.cmd }),
    ...(config.workingDir === null ? {} : { WorkingDir: config.workingDir }),
    ...(Object.keys(config.labels).length === 0 ? {} : { Labels: config.labels }),
  }
}

/** RFC 3339 in whole seconds. */
function timestamp(seconds: number): string {
  if (!Number.isSafeInteger(seconds) || seconds < 0 || seconds > 253_402_300_799)
    throw new Failure({
      code: 'oci-created-invalid',
      message: 'the time of the image is not a time between the years 1970 and 9999',
      hint: 'set SourceDateEpoch= to seconds since 1970',
    })
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
