import { z } from 'zod'
import { Sha256 } from '../../verifier/model/digest.ts'
import type { Descriptor } from '../app/image-registry.ts'

const Raw = z.looseObject({
  mediaType: z.string().max(255),
  digest: z.string().startsWith('sha256:'),
  size: z
    .int()
    .nonnegative()
    .max(2 ** 50),
  artifactType: z.string().max(255).optional(),
  annotations: z.record(z.string(), z.string()).nullish(),
})

/** Reads one descriptor as a registry wrote it; undefined for what is none, or names something by another algorithm. */
export function readDescriptor(value: unknown): Descriptor | undefined {
  const raw = Raw.safeParse(value)
  const sha256 = Sha256.safeParse(raw.data?.digest.slice('sha256:'.length))
  if (!raw.success || !sha256.success) return undefined
  const { mediaType, size, artifactType, annotations } = raw.data
  return { mediaType, sha256: sha256.data, size, artifactType: artifactType ?? null, annotations: annotations ?? {} }
}

/** As an index names it. */
export function descriptorJson({ mediaType, sha256, size, artifactType, annotations }: Descriptor): Record<string, unknown> {
  return {
    mediaType,
    digest: `sha256:${sha256}`,
    size,
    ...(artifactType === null ? {} : { artifactType }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  }
}
