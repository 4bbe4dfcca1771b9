import type { Duplex } from 'node:stream'
import type { LimitKind, SandboxFacts } from '../model/attempt.ts'

/** Bounds of one attempt. Each ends in the outcome `limit` that names it. */
export type Limits = {
  /** Wall time of the whole attempt. */
  readonly seconds: number
  /** Of the container, its tmpfs workspace included. */
  readonly memoryBytes: number
  readonly processes: number
  /** Of the workspace: tmpfs size, or growth of the volume. */
  readonly diskBytes: number
  /** Of everything the build leaves in its output folder. */
  readonly outputBytes: number
  readonly logBytes: number
  /** CPUs that the build sees; a fixed number, since recipes can write it into an image. */
  readonly cpus: number
}

/** What PID 1 of the container is told: `mkosi/builder/agent.py` is the other side. */
export type Job = {
  readonly command: readonly string[]
  /** Prints mkosi's own reading of the config as JSON; run beside the build, inside the sandbox. */
  readonly summary: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Files below /work/sandbox, which mkosi lays over its package manager's environment. */
  readonly sandboxTree: readonly { readonly path: string; readonly content: string }[]
}

export type SandboxIo = {
  /** Canonical tar of the recipe's folder. */
  readonly source: () => AsyncIterable<Uint8Array>
  /** A connection to the recording proxy was opened in the container. */
  readonly accept: (connection: Duplex) => void
  /** mkosi's own JSON summary of the config, before the first output; undefined where it could not be had. */
  readonly summary: (summary: unknown) => void
  /**
   * What lies in the output folder, one call an entry, one after another: regular files as they are, folders as tar streams, nothing
   * for what is neither. Everything in it is hostile. Resolves when the bytes were taken, or were let pass.
   */
  readonly output: (entry: OutputEntry, bytes: AsyncIterable<Uint8Array>) => Promise<void>
  readonly log: (bytes: Uint8Array) => void
  readonly stage: (stage: 'source' | 'build' | 'collect') => void
  /** Takes the removal of the container, which then goes on after `run` has resolved; without it, `run` waits. A failed one rejects. */
  readonly removal?: (removal: Promise<void>) => void
  readonly signal: AbortSignal
}

export type OutputEntry = { readonly name: string; readonly type: 'file' | 'tree' | 'other'; readonly size: number }

export type Usage = { readonly cpuMs: number; readonly peakMemoryBytes: number }

/** How a container ended. Only `finished` with exit 0 has handed out an output. */
export type SandboxEnd =
  | { readonly kind: 'finished'; readonly exit: number; readonly usage: Usage }
  | { readonly kind: 'limit'; readonly limit: LimitKind; readonly usage: Usage | null }
  | { readonly kind: 'cancelled' }
  /** The source could not be laid out; never the build's doing. */
  | { readonly kind: 'source-rejected' }
  /** The container ended without a result and without a limit: what ran in it broke its supervisor, or the engine lost it. */
  | { readonly kind: 'lost'; readonly supervisorBroken: boolean }

export interface Sandbox {
  readonly facts: SandboxFacts
  /** What may be left in the output folder; also what that may grow to when it is unpacked. */
  readonly outputBytes: number
  run(job: Job, io: SandboxIo): Promise<SandboxEnd>
}
