import { namedChunks } from '../../../verifier/bytes/named-file.ts'
import { bundlesIn } from '../bundle-documents.ts'

/** The bundles of files, in their order; fails as reading one does. */
export async function readBundleFiles(files: readonly string[], signal: AbortSignal): Promise<readonly Uint8Array[]> {
  const all: Uint8Array[] = []
  for (const file of files) all.push(...(await bundlesIn(namedChunks(file, { what: 'the bundle', signal }))))
  return all
}
