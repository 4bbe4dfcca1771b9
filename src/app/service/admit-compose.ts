import { oneChunk } from '../../../verifier/bytes/one-chunk.ts'
import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { MOST_BYTES } from '../compose/compose-document.ts'
import { failedCompose } from '../compose/compose-failures.ts'
import { type ComposeLint, lintCompose } from '../compose/lint-compose.ts'
import type { ServicePorts } from './accept-verification.ts'
import { type Caller, requireScope } from './caller.ts'

export type AdmitPorts = Pick<ServicePorts, 'unitOfWork' | 'now'> & { readonly blobs: BlobStore }

export type AdmittedNow = { readonly appId: string; readonly composeHash: Sha256; readonly isNew: boolean; readonly lint: ComposeLint }

/**
 * Keeps an app-compose, byte for byte, as one that its owner wants the app to run. Whether it may is for a policy to say, which names who admits
 * and what the linter may have against it. Again changes nothing. Fails with `scope-missing`, `compose-…`, `json-…` and `compose-hash-differs`.
 */
export async function admitCompose(
  { unitOfWork, now, blobs }: AdmitPorts,
  o: { readonly caller: Caller; readonly appId: string; readonly composeHash: Sha256; readonly bytes: Uint8Array },
): Promise<AdmittedNow> {
  const { caller, appId, composeHash, bytes } = o
  requireScope(caller, 'admit')
  if (bytes.length > MOST_BYTES.dstack) throw failedCompose('compose-too-large')
  const lint = lintCompose(bytes)
  if (lint.composeHash === null) throw failedCompose('compose-no-app')
  if (lint.composeHash !== composeHash) throw hashDiffers()
  const { size } = await blobs.put(oneChunk(bytes), composeHash)
  const isNew = await unitOfWork.run(({ composes }) => composes.admit({ appId, composeHash, size, ownerId: caller.owner.id, at: now() }))
  return { appId, composeHash, isNew, lint }
}

function hashDiffers(): Failure {
  return new Failure({
    code: 'compose-hash-differs',
    message: 'the bytes have another compose hash than the address says',
    hint: 'send the app-compose.json as it is, and its sha256 in the address: bitwitness compose hash prints it',
  })
}
