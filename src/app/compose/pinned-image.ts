import { Sha256 } from '../../../verifier/model/digest.ts'

export type PinnedImage = { readonly name: string; readonly digest: Sha256 }

/** `NAME@sha256:…`, where a tag may stand before the digest and counts for nothing; undefined for anything else. */
export function pinnedImage(reference: string): PinnedImage | undefined {
  const [, name, hex] = /^([A-Za-z0-9][A-Za-z0-9._:/-]{0,254})@sha256:([0-9a-f]{64})$/.exec(reference) ?? []
  const digest = Sha256.safeParse(hex)
  return name === undefined || !digest.success ? undefined : { name, digest: digest.data }
}

/** The name of an image without a tag, which counts for nothing beside a digest. */
export function imageNameOf({ name }: Pick<PinnedImage, 'name'>): string {
  return name.replace(/:[^:/]*$/, '')
}
