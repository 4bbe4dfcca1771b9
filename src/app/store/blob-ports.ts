import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { Cursor, Page, PageRequest } from './page.ts'
import type { BlobRole, StoredBuilder, Upload } from './records.ts'

export interface Blobs {
  /** Which of these the service knows to be in the store of blobs. */
  known(digests: readonly Sha256[]): Promise<ReadonlySet<Sha256>>
  /** Notes blobs, which are in the store of blobs already, as kept for as long as what nobody needs is. */
  keep(blobs: readonly { readonly sha256: Sha256; readonly size: number }[], at: Date): Promise<void>
  /** Which of these are known: those are kept as if they were noted now. */
  renew(digests: readonly Sha256[], at: Date): Promise<ReadonlySet<Sha256>>
  /** From which of these attempts are made: sources, locks, inputs, parts of builders. What else attempts gave is none of these. */
  toBuildFrom(digests: readonly Sha256[]): Promise<ReadonlySet<Sha256>>
  /** Notes what a lock names, once a lock: who needs the lock needs them too. */
  lockInputs(o: { lock: Sha256; inputs: readonly { readonly sha256: Sha256; readonly size: number }[]; at: Date }): Promise<void>
  /** In which verifications a blob has which part; null: nobody needs it. Claims and results are shown later than the blob is there. */
  partsOf(sha256: Sha256): Promise<readonly { readonly verificationId: string; readonly role: BlobRole; readonly shown: boolean }[]>
  /**
   * What anybody may read it as; undefined: nobody may. A blob is shown with the verification that it is a part of, what a lock names with
   * the lock, and what a builder is made of with the builder. Bytes that owners brought are shown as what became of them.
   */
  shownAs(sha256: Sha256): Promise<BlobRole | undefined>
  /** Notes that a verification needs a blob, which is in the store of blobs already. */
  refer(o: { sha256: Sha256; size: number; verificationId: string; role: BlobRole; at: Date }): Promise<void>
  /** Notes that a verification needs none of its blobs of this role any more, and forgets those that nothing else needs. */
  release(o: { verificationId: string; role: BlobRole }): Promise<void>
  /** The same of verifications that ended before a time, at most so many blobs; says how many. */
  releaseEnded(o: { role: BlobRole; before: Date; limit: number }): Promise<number>
  /**
   * Looks at the next so many blobs, those noted first before the others, and forgets what was noted before `notedBefore` and nothing needs
   * but verifications that ended before `endedBefore` and of which nothing was attested. `next` leads to those after them; null: there
   * are none. What is forgotten goes by way of `ForgottenBlobs`.
   */
  collect(o: { endedBefore: Date; notedBefore: Date; after: Cursor | null; limit: number }): Promise<{
    readonly gone: readonly Sha256[]
    readonly next: Cursor | null
  }>
  of(verificationId: string): Promise<readonly { readonly sha256: Sha256; readonly size: number; readonly role: BlobRole }[]>
}

export interface Uploads {
  /** Notes an upload; again renews it. */
  add(upload: Upload): Promise<void>
  /** The owner's upload, kept from being swept until the transaction ends. */
  find(ownerId: string, sha256: Sha256): Promise<Upload | undefined>
  /** Notes that so many bytes came from an owner, whatever became of them. */
  receive(received: { readonly id: string; readonly ownerId: string; readonly bytes: number; readonly at: Date }): Promise<void>
  /** How much came from an owner since a time, how often, and when first. */
  received(ownerId: string, since: Date): Promise<{ readonly bytes: number; readonly count: number; readonly oldest: Date | null }>
  /** Forgets what came before a time, at most so often as `limit`; says how often. */
  forgetReceived(before: Date, limit: number): Promise<number>
  /**
   * Bytes that an owner brought and that are kept for that: as uploads, of which the oldest is told, and for verifications of theirs that are
   * open. The same bytes count once.
   */
  held(ownerId: string): Promise<{ readonly bytes: number; readonly oldest: Date | null }>
  /** Forgets uploads of before a time; gives those that nothing refers to, whose bytes may go by way of `ForgottenBlobs`. */
  sweep(before: Date, limit: number): Promise<readonly Sha256[]>
}

/**
 * What nothing needs any more, and whose bytes may still be in the store of blobs. They go a while later, so that whoever was about to note
 * a blob that is there does so before: bytes of what is not known are brought anew, and never taken for granted.
 */
export interface ForgottenBlobs {
  /** Notes as forgotten now what is in the store of blobs, and neither known nor forgotten already. */
  add(digests: readonly Sha256[]): Promise<void>
  /** Forgotten for so long, the oldest first. What is known again is not among them, and not forgotten any more. */
  due(o: { seconds: number; limit: number }): Promise<readonly Sha256[]>
  /** Their bytes are gone. */
  gone(digests: readonly Sha256[]): Promise<void>
  /** Somebody brought their bytes a moment ago: they are looked at again as if they were forgotten now. */
  postpone(digests: readonly Sha256[]): Promise<void>
}

export interface Builders {
  /** `parts`: the blobs of its description, config, manifest, layer and lock, which are in the store already. Again changes nothing. */
  add(builder: StoredBuilder, parts: readonly { readonly sha256: Sha256; readonly size: number }[]): Promise<void>
  find(digest: Sha256): Promise<StoredBuilder | undefined>
  page(request: PageRequest): Promise<Page<StoredBuilder>>
}

/** What workers showed to have of the bytes that they are going to report. */
export interface HandedBlobs {
  add(o: { attemptId: string; lease: string; sha256: Sha256 }): Promise<void>
  /** Which of these were shown under the lease. */
  among(o: { attemptId: string; lease: string; digests: readonly Sha256[] }): Promise<ReadonlySet<Sha256>>
  /** Forgets all that was shown of an attempt, which is committed. */
  forget(attemptId: string): Promise<void>
}
