import type { Artifact } from '../model/attempt.ts'
import type { BlobStore } from '../model/blob-store.ts'
import type { Claim } from '../model/claim.ts'
import type { Comparison } from '../model/comparison.ts'
import type { Sha256 } from '../model/digest.ts'
import { readClaimed } from './claimed.ts'
import { type BuiltImage, judgeClaimed } from './judge-claimed.ts'

/**
 * `readClaimed` and `judgeClaimed` in one, for a single artifact; with several attempts read once and judge each. Gives besides the tree
 * manifests of the claimed file, or of each layer of the claimed image, for explaining a difference.
 */
export async function compareClaimedFile(o: {
  claim: Claim
  index: number
  path: string
  scratch: string
  maxBytes: number
  blobs: BlobStore
  attempt: number
  artifact: Artifact
  image: BuiltImage | null
  signal?: AbortSignal
}): Promise<{ comparison: Comparison; treeManifests: readonly (Sha256 | null)[] }> {
  const claimed = await readClaimed(o)
  const tars = claimed.kind === 'file' ? [claimed.file] : claimed.layers
  return { comparison: judgeClaimed(claimed, o), treeManifests: tars.map((tar) => tar.canonical?.treeManifest ?? null) }
}
