import type { BuildManifest } from '../../verifier/model/build-manifest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { BuildFolder } from './build-folder.ts'

export type TreeArtifact = BuildManifest['artifacts'][number] & { readonly file: string }

/** The artifact of a build that is a tree of files: the named one, or the only one. Failure: `artifact-unknown`. */
export function treeOf({ manifest }: BuildFolder, wanted: string | null): TreeArtifact {
  const trees = manifest.artifacts.flatMap((one): TreeArtifact[] =>
    one.file !== null && (one.format === 'tar' || one.format === 'directory') ? [{ ...one, file: one.file }] : [],
  )
  const named = wanted === null ? trees : trees.filter(({ name }) => name === wanted)
  const [only, second] = named
  if (only !== undefined && second === undefined) return only
  throw new Failure({
    code: 'artifact-unknown',
    message:
      second === undefined ? 'the build has no such artifact that is a tree of files' : 'the build has several artifacts that are trees',
    hint: 'name one of the build’s with --artifact: packages are read from tar and directory artifacts',
  })
}
