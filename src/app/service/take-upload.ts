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
  /** That come from one owner within 24 hours, the same again and what breaks off included. */
  readonly bytesPerDay: number
  readonly countPerDay: number
  /** That one owner may have lying here, for submissions to come and for what is open. */
  readonly bytesHeld: number
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

/** For how long what came from an owner counts. */
export const RECEIVED_MS = 24 * 3_600_000
const HOUR_MS = 3_600_000

export type UploadCommand = {
  readonly caller: Caller
  /** As the sender says; null: it does not. */
  readonly declared: number | null
  /** The bytes, at most so many; `tooLarge` is what to fail with beyond. */
  readonly bytes: (o: { readonly maxBytes: number; readonly tooLarge: () => Failure }) => AsyncIterable<Uint8Array>
}

/**
 * Keeps what an owner brings for submissions to come. Nothing is left of an upload that does not come to its end, but that it came. Fails
 * with `scope-missing`, `upload-too-large`, `uploads-limit`, `uploads-held-limit`, `upload-swept`, or as the bytes do.
 */
export async function takeUpload(ports: UploadPorts, { caller, declared, bytes }: UploadCommand): Promise<Upload> {
  const { uploads: rules, underWay, unitOfWork, newId, now } = ports
  const ownerId = caller.owner.id
  requireScope(caller, 'submit')
  if (declared !== null && declared > rules.bytes) throw tooLarge(rules)
  // Before anything is waited for, and for as many bytes as may come: a hundred at once are counted as a hundred.
  using reserved = underWay.begin(ownerId, declared ?? rules.bytes)
  if (reserved.others >= rules.atOnce) throw limit('you have as many uploads under way as may be at once', 5)
  const bound = await boundOf(ports, { ownerId, ...reserved })
  if (bound.left <= 0 || (declared ?? 0) > bound.left) throw bound.refuse()
  let came = 0
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const part of bytes({ maxBytes: bound.left, tooLarge: bound.refuse })) {
      came += part.length
      yield part
    }
  }
  const received = () => ({ id: newId(), ownerId, bytes: came, at: now() })
  const stored = await ports.blobs.put(counted()).catch(async (error: unknown) => {
    // It came, whatever became of it.
    await unitOfWork.run(({ uploads }) => uploads.receive(received()))
    throw error
  })
  const upload: Upload = { ownerId, ...stored, createdAt: now() }
  await unitOfWork.run(async ({ uploads }) => {
    await uploads.receive(received())
    await uploads.add(upload)
  })
  // Whoever sweeps removes bytes before it says so: the same bytes of an older upload may have gone between the two lines before.
  if ((await ports.blobs.size(upload.sha256)) === undefined) throw swept()
  return upload
}

type Bound = { readonly left: number; readonly refuse: () => Failure }

/** The tightest of all that bounds an owner's next upload. */
async function boundOf(
  { uploads: rules, reads, now }: UploadPorts,
  { ownerId, others, othersBytes }: { readonly ownerId: string; readonly others: number; readonly othersBytes: number },
): Promise<Bound> {
  const at = now().getTime()
  const [came, held] = await Promise.all([reads.uploads.received(ownerId, new Date(at - RECEIVED_MS)), reads.uploads.held(ownerId)])
  const until = (oldest: Date | null, ms: number): number =>
    oldest === null ? 60 : Math.max(1, Math.ceil((oldest.getTime() + ms - at) / 1000))
  const tomorrow = until(came.oldest, RECEIVED_MS)
  if (came.count + others >= rules.countPerDay) throw limit(`you may upload ${rules.countPerDay} times a day`, tomorrow)
  const bounds: readonly [Bound, ...Bound[]] = [
    { left: rules.bytes, refuse: () => tooLarge(rules) },
    {
      left: rules.bytesPerDay - came.bytes - othersBytes,
      refuse: () => limit(`you may upload ${rules.bytesPerDay} bytes a day`, tomorrow),
    },
    { left: rules.bytesHeld - held.bytes - othersBytes, refuse: () => heldLimit(rules, until(held.oldest, rules.hours * HOUR_MS)) },
  ]
  return bounds.reduce((tightest, bound) => (bound.left < tightest.left ? bound : tightest))
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

function heldLimit({ bytesHeld }: UploadRules, retryAfterSeconds: number): Failure {
  return new Failure({
    code: 'uploads-held-limit',
    message: `you may have ${bytesHeld} uploaded bytes lying here`,
    hint: 'wait until verifications of yours are over, or older uploads are forgotten, or cancel what you need no more',
    data: { retryAfterSeconds },
  })
}
