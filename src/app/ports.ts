import type { InputFailure, InputProxy } from '../../verifier/builder/inputs/input-proxy.ts'
import type { Sandbox } from '../../verifier/builder/sandbox.ts'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import type { ClaimKind } from '../../verifier/model/claim.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import type { EmitEvent } from '../../verifier/model/event.ts'
import type { InputLock } from '../../verifier/model/lock.ts'
import type { PinnedTree } from '../../verifier/source/pinned-tree.ts'

/** A builder image that the engine holds. */
export type ReadyBuilder = { readonly digest: Sha256; readonly mkosi: string; readonly architecture: string; readonly image: string }

export interface ScratchFolder extends AsyncDisposable {
  readonly path: string
}

/** What use cases need from around them; context.ts makes one. */
export interface Ports {
  readonly version: string
  readonly blobs: BlobStore
  /** What recipes are read for, in mkosi's words: the builder asked for, or the default one. Fails with `builder-unknown`. */
  reader(wanted: string | null): Promise<{ readonly architecture: string; readonly mkosi: string }>
  /** How many attempts may run side by side. */
  readonly slots: number
  /** What a build may leave, uncompressed. Claimed bytes that are more cannot be what was built, and are not read. */
  readonly outputBytes: number
  now(): string
  /** A private folder, removed at the end, or at the next start where there was no end. */
  scratch(): Promise<ScratchFolder>
  pin(source: string, scratch: string, signal: AbortSignal): Promise<PinnedTree>
  /** The builder asked for, or the default one, which is made where there is none yet. */
  builder(wanted: string | null, emit: EmitEvent, signal: AbortSignal): Promise<ReadyBuilder>
  sandbox(builder: ReadyBuilder): Sandbox
  record(o: { architecture: string; snapshot: string | null; signal: AbortSignal }): Promise<InputProxy>
  replay(lock: InputLock, signal: AbortSignal): InputProxy
  gather(lock: InputLock, signal: AbortSignal): Promise<readonly InputFailure[]>
  misdescribed(lock: InputLock): Promise<readonly InputFailure[]>
  readLock(path: string): Promise<InputLock>
  /** Stores what an inputs archive holds and gives its lock. */
  readInputs(path: string, signal: AbortSignal): Promise<InputLock>
  writeInputs(o: { lock: InputLock; path: string }): Promise<void>
  /**
   * Brings claimed bytes, from a file, an URL or a registry, into a folder of ours. An image in a registry is a layout for a claim on its
   * manifest; for a claim on a file it is the one layer.
   */
  fetchClaimed(o: { location: string; kind: ClaimKind; folder: string; signal: AbortSignal }): Promise<string>
}
