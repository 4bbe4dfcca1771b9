import { readBlob } from '../verifier/builder/image-archive.ts'
import { describedBuilder } from '../verifier/builder/image-check.ts'
import { readDefinition } from '../verifier/builder/image-definition.ts'
import type { BlobStore } from '../verifier/model/blob-store.ts'
import { Failure } from '../verifier/model/failure.ts'
import type { StoredBuilder } from './app/store/records.ts'

/**
 * Whether a builder that was made before is what would be taken today: of the definition in `folder`, for the mkosi that is chosen. One
 * whose description is gone, or damaged, is not known to be.
 */
export function builderOfToday(o: {
  readonly folder: string
  readonly mkosi: string
  readonly blobs: BlobStore
}): (builder: Pick<StoredBuilder, 'description' | 'mkosi'>) => Promise<boolean> {
  return async ({ description, mkosi }) => {
    if (mkosi !== o.mkosi) return false
    const { digest } = await readDefinition(o.folder, mkosi)
    try {
      return describedBuilder(await readBlob(o.blobs, description))?.definition === digest
    } catch (error) {
      if (error instanceof Failure && (error.code === 'blob-missing' || error.code === 'blob-damaged')) return false
      throw error
    }
  }
}
