import type { BlobStore, StoredBlob } from '../../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { ServicePorts } from './accept-verification.ts'

/** Blobs that are noted together. */
const AT_ONCE = 50

/**
 * The store of blobs for work that may come to nothing: what is put is noted as kept for a while, so that it is collected where nothing
 * comes to need it. Without that its bytes would stay for ever, known to nobody.
 */
export class NotedBlobs implements BlobStore, AsyncDisposable {
  readonly #blobs: BlobStore
  readonly #ports: Pick<ServicePorts, 'unitOfWork' | 'now'>
  #pending: StoredBlob[] = []

  constructor(blobs: BlobStore, ports: Pick<ServicePorts, 'unitOfWork' | 'now'>) {
    this.#blobs = blobs
    this.#ports = ports
  }

  async put(bytes: AsyncIterable<Uint8Array>, expected?: Sha256): Promise<StoredBlob> {
    const stored = await this.#blobs.put(bytes, expected)
    this.#pending.push(stored)
    if (this.#pending.length >= AT_ONCE) await this[Symbol.asyncDispose]()
    return stored
  }

  async open(sha256: Sha256): Promise<AsyncIterable<Uint8Array>> {
    return await this.#blobs.open(sha256)
  }

  async size(sha256: Sha256): Promise<number | undefined> {
    return await this.#blobs.size(sha256)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const noted = this.#pending
    this.#pending = []
    if (noted.length > 0) await this.#ports.unitOfWork.run(({ blobs }) => blobs.keep(noted, this.#ports.now()))
  }
}
