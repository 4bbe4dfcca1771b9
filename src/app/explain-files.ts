import { explain, type Side } from '../../verifier/explain/explain.ts'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import type { Transformation } from '../../verifier/model/comparison.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import type { Explanation } from '../../verifier/model/explanation.ts'
import { type ArtifactRoom, type OpenedArtifact, openArtifact } from './opened-artifact.ts'

export type ExplainFiles = ArtifactRoom & { readonly left: string; readonly right: string }

/** Says why two artifact files differ: as trees where both are tars, compressed or not, and else byte by byte. */
export async function explainFiles(o: ExplainFiles): Promise<Explanation> {
  const left = await openArtifact(o, o.left, 'left')
  const right = await openArtifact(o, o.right, 'right')
  const archive = { transformations: transformations(left, right), ...compressions(left, right) }
  return await explain({ left: sideOf(o, left), right: sideOf(o, right), archive, signal: o.signal })
}

function sideOf({ blobs }: ArtifactRoom, { label, file, canonical, unread }: OpenedArtifact): Side {
  return { label, file, unread, manifest: canonical === null ? null : manifestOf(blobs, canonical.treeManifest) }
}

async function* manifestOf(blobs: BlobStore, sha256: Sha256): AsyncGenerator<Uint8Array, void, void> {
  yield* await blobs.open(sha256)
}

/** What has to be undone on one side, and not on the other, before two archives of one tree are the same bytes. */
function transformations({ canonical: left }: OpenedArtifact, { canonical: right }: OpenedArtifact): Transformation[] {
  if (left === null || right === null || left.written.sha256 === right.written.sha256) return []
  const both = [...new Set([...left.transformations, ...right.transformations])]
  // Of one tree, two archives that are both out of order may each be so in its own way.
  if (left.canonical.sha256 === right.canonical.sha256) return both
  return both.filter((one) => left.transformations.includes(one) !== right.transformations.includes(one))
}

function compressions(left: OpenedArtifact, right: OpenedArtifact): { compression?: { left: string; right: string } } {
  return left.compression === right.compression ? {} : { compression: { left: left.compression, right: right.compression } }
}
