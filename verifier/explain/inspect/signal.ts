import type { ContentDetail } from '../../model/explanation.ts'

/** A known way for contents to differ, as seen in the bytes. */
export type SignalId =
  | 'date'
  | 'id'
  | 'build-path'
  | 'process-id'
  | 'cpu-count'
  | 'line-order'
  | 'gzip-time'
  | 'recompressed'
  | 'ar-header'
  | 'zip-time'
  | 'pyc-time'
  | 'elf-identity'
  | 'password-hash'
  | 'password-date'

export type Signal = {
  readonly id: SignalId
  /** Escaped and short. */
  readonly evidence: string
}

export type Inspection = {
  readonly detail: ContentDetail
  readonly signals: readonly Signal[]
  /** Whether the signals together explain every differing byte. */
  readonly whole: boolean
}
