import type { Sha256 } from '../../verifier/model/digest.ts'
import type { ImagePackages } from '../../verifier/model/image-packages.ts'
import type { InputLock } from '../../verifier/model/lock.ts'

export type SbomInput = {
  /** The image: the name of its artifact, the sha256 of the uncompressed file, and that of the image manifest that is packed from it. */
  readonly image: { readonly name: string; readonly sha256: Sha256; readonly ociManifest: Sha256 | null }
  readonly packages: ImagePackages
  /** What the build took from the network; null: nothing. */
  readonly lock: { readonly sha256: Sha256; readonly lock: InputLock } | null
  /** Seconds since the epoch: SOURCE_DATE_EPOCH of the build, since a bill of equal bytes has no time of its own. */
  readonly created: number
  /** Of this program. */
  readonly version: string
}
