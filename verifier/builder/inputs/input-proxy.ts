import type { Duplex } from 'node:stream'
import type { InputLock } from '../../model/lock.ts'
import type { Target } from './target.ts'

/** Where each archive can be had, by archive name; earlier mirrors are asked first. A URL is the archive's root, below which its paths lie. */
export type Mirrors = ReadonlyMap<string, readonly URL[]>

/** Bounds of what one build may take from the network. */
export type InputLimits = {
  /** Requests that the build may make, answered or refused. */
  readonly requests: number
  /** Of one body. */
  readonly bodyBytes: number
  /** Of all bodies that mirrors send, repeated transfers included. */
  readonly totalBytes: number
  /** Open connections of the build. */
  readonly connections: number
  /** Bodies that are taken from mirrors at the same time. */
  readonly transfers: number
  /** Tries for one body, over all mirrors. */
  readonly tries: number
  /** How long a mirror may be silent, ms. */
  readonly stallMs: number
}

export const DEFAULT_INPUT_LIMITS: InputLimits = {
  requests: 20_000,
  bodyBytes: 2 * 1024 ** 3,
  totalBytes: 16 * 1024 ** 3,
  connections: 64,
  transfers: 6,
  tries: 5,
  stallMs: 30_000,
}

/**
 * Why an input could not be had, or a request was not answered. `archive` and `path` are empty where the request named no archive; then
 * `path` is the host that was asked for, if it has the form of one. `expected` and `actual` are sha256, where known.
 */
export type InputFailure = {
  readonly code: 'input-unavailable' | 'input-differs' | 'input-refused' | 'network-limit'
  readonly archive: string
  readonly path: string
  readonly expected: string | null
  readonly actual: string | null
  readonly message: string
}

/** The only way out of a sealed builder: an HTTP proxy for the archives of the builder's profile and nothing else. */
export interface InputProxy extends AsyncDisposable {
  /** Serves a connection that was opened inside the builder. */
  accept(connection: Duplex): void
  /** Serves 127.0.0.1 on a port that the system chooses, for a program that runs beside us. */
  listen(): Promise<{ readonly port: number }>
  /** Takes no more requests, stops what is under way, and says what the build took: of a replay, the lock that it replays. */
  finish(): Promise<InputLock>
  /** Whether the whole body of an address was handed to the build: a lock may name what nobody asked for. */
  served(target: Target): boolean
  /** What went wrong so far; a path that could be had later is not among them. */
  failures(): readonly InputFailure[]
  /** Requests received and bytes of bodies handed to the build. */
  stats(): { readonly requests: number; readonly bytes: number }
}
