import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import type { Upload } from '../store/records.ts'
import type { Reads } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import { type Caller, requireScope } from './caller.ts'
import type { UploadsUnderWay } from './uploads-under-way.ts'

export type UploadRules = {
  /** Of one upload. */
  readonly bytes: number
  /** Of one owner within 24 hours. */
  readonly bytesPerDay: number
  readonly countPerDay: number
  /** Of one owner at the same time, in this process. */
  readonly atOnce: number
  /** How long an upload is kept for a submission. */
  readonly hours: number
}

export type UploadPorts = ServicePorts & {
  readonly reads: Reads
  readonly blobs: BlobStore
  readonly uploads: UploadRules
  readonly underWay: UploadsUnderWay
}

const DAY_MS = 24 * 3_600_000

export type UploadCommand = {
  readonly caller: Caller
  /** As the sender says; null: it does not. */
  readonly declared: number | null
  /** The bytes, at most so many; `tooLarge` is what to fail with beyond. */
  readonly bytes: (o: { readonly maxBytes: number; readonly tooLarge: () => Failure }) => AsyncIterable<Uint8Array>
}

/**
 * Keeps what an owner brings for submissions to come. Nothing is left of an upload that does not come to its end. Fails with
 * `scope-missing`, `upload-too-large`, `uploads-limit`, `upload-swept`, or as the bytes do.
 */
export async function takeUpload(ports: UploadPorts, { caller, declared, bytes }: UploadCommand): Promise<Upload> {
  const { uploads: rules, reads, underWay } = ports
  const ownerId = caller.owner.id
  requireScope(caller, 'submit')
  if (declared !== null && declared > rules.bytes) throw tooLarge(rules)
  // Before anything is waited for, and for as many bytes as may come: a hundred at once are counted as a hundred.
  using reserved = underWay.begin(ownerId, declared ?? rules.bytes)
  if (reserved.others >= rules.atOnce) throw limit('you have as many uploads under way as may be at once', 5)
  const at = ports.now()
  const used = await reads.uploads.since(ownerId, new Date(at.getTime() - DAY_MS))
  const retryAfter = used.oldest === null ? 60 : Math.max(1, Math.ceil((used.oldest.getTime() + DAY_MS - at.getTime()) / 1000))
  if (used.count + reserved.others >= rules.countPerDay) throw limit(`you may upload ${rules.countPerDay} times a day`, retryAfter)
  const spent = (): Failure => limit(`you may upload ${rules.bytesPerDay} bytes a day`, retryAfter)
  const left = rules.bytesPerDay - used.bytes - reserved.othersBytes
  if (left <= 0 || (declared ?? 0) > left) throw spent()
  const maxBytes = Math.min(rules.bytes, left)
  const beyond = (): Failure => (left < rules.bytes ? spent() : tooLarge(rules))
  const stored = await ports.blobs.put(bytes({ maxBytes, tooLarge: beyond }))
  const upload: Upload = { ownerId, ...stored, createdAt: ports.now() }
  await ports.unitOfWork.run(({ uploads }) => uploads.add(upload))
  // Whoever sweeps removes bytes before it says so: the same bytes of an older upload may have gone between the two lines before.
  if ((await ports.blobs.size(upload.sha256)) === undefined) throw swept()
  return upload
}

function swept(): Failure {
  return new Failure({
    code: 'upload-swept',
    message: 'the same bytes were removed as somebody’s old upload while these came',
    hint: 'send them again',
    retryable: true,
    data: { retryAfterSeconds: 1 },
  })
}

function tooLarge({ bytes }: UploadRules): Failure {
  return new Failure({
    code: 'upload-too-large',
    message: `an upload may have ${bytes} bytes`,
    hint: 'pack the source without what it does not need, or give a git repository',
  })
}

function limit(message: string, retryAfterSeconds: number): Failure {
  return new Failure({
    code: 'uploads-limit',
    message,
    hint: 'wait as long as Retry-After says; a git repository needs no upload',
    data: { retryAfterSeconds },
  })
}
