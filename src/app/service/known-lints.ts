import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { type ComposeLint, lintCompose } from '../compose/lint-compose.ts'
import { wholeBlob } from '../whole-blob.ts'

/** Lints that are remembered; what was not asked for longest is forgotten. */
const MOST_KNOWN = 200

/** What the linter says of app-composes by their hashes: the same bytes, the same answer, so it is asked once. */
export class KnownLints {
  readonly #blobs: BlobStore
  readonly #known = new Map<Sha256, ComposeLint>()

  constructor(blobs: BlobStore) {
    this.#blobs = blobs
  }

  /** Fails where its bytes are not in the store of blobs. */
  async of(composeHash: Sha256): Promise<ComposeLint> {
    const lint = this.#known.get(composeHash) ?? lintCompose(await wholeBlob(this.#blobs, composeHash))
    this.#known.delete(composeHash)
    this.#known.set(composeHash, lint)
    const [oldest] = this.#known.keys()
    if (this.#known.size > MOST_KNOWN && oldest !== undefined) this.#known.delete(oldest)
    return lint
  }
}
