import type { Failure } from '../../../verifier/model/failure.ts'
import type { SourceFailureCode } from '../../../verifier/source/failures.ts'
import type { TarFailureCode } from '../../../verifier/tar/failures.ts'

/** Whether trying again could end otherwise: the world outside may have changed by then, what was submitted cannot. */
export type PreparationTrouble = 'for-good' | 'may-pass'

type GivenCode =
  | 'blob-missing'
  | 'blob-damaged'
  | 'blob-differs'
  | 'blob-folder-unusable'
  | 'builder-unknown'
  | 'compressed-damaged'
  | 'decompressed-size'
  | 'input-lock-malformed'
  | 'inputs-archive-incomplete'
  | 'inputs-archive-malformed'
  | 'inputs-of-another-lock'
  | 'preparation-machine'
  | 'xz-missing'

/** Every failure that pinning a source, and reading the lock and the inputs that came with it, can end in. */
const TROUBLES: Readonly<Record<SourceFailureCode | TarFailureCode | GivenCode, PreparationTrouble>> = {
  // Of the world around it, and of this machine.
  'source-unreachable': 'may-pass',
  'source-host-unknown': 'may-pass',
  'source-time-limit': 'may-pass',
  'source-tls': 'may-pass',
  'source-changed': 'may-pass',
  'git-missing': 'may-pass',
  'git-too-old': 'may-pass',
  'xz-missing': 'may-pass',
  'blob-missing': 'may-pass',
  'blob-damaged': 'may-pass',
  'blob-folder-unusable': 'may-pass',
  'preparation-machine': 'may-pass',
  // Of how the source is named.
  'source-malformed': 'for-good',
  'source-missing': 'for-good',
  'source-archive-format': 'for-good',
  'source-url-malformed': 'for-good',
  'source-url-userinfo': 'for-good',
  'source-protocol': 'for-good',
  'source-local-refused': 'for-good',
  'source-host-private': 'for-good',
  'source-redirected': 'for-good',
  'source-ref-malformed': 'for-good',
  'source-ref-missing': 'for-good',
  'source-ref-ambiguous': 'for-good',
  'source-commit-missing': 'for-good',
  'source-server-too-old': 'for-good',
  'source-repository-missing': 'for-good',
  'source-repository-owner': 'for-good',
  'source-bare-repository': 'for-good',
  'source-path-malformed': 'for-good',
  'source-path-missing': 'for-good',
  // Of what is in it.
  'source-objects-malformed': 'for-good',
  'source-submodules': 'for-good',
  'source-name-refused': 'for-good',
  'source-path-duplicate': 'for-good',
  'source-path-under-file': 'for-good',
  'source-special-file': 'for-good',
  'source-link-malformed': 'for-good',
  'source-hard-link': 'for-good',
  'source-unreadable': 'for-good',
  'source-damaged': 'for-good',
  'source-entries-limit': 'for-good',
  'source-depth-limit': 'for-good',
  'source-paths-limit': 'for-good',
  'source-file-size-limit': 'for-good',
  'source-size-limit': 'for-good',
  'source-ratio-limit': 'for-good',
  'source-refs-limit': 'for-good',
  'compressed-damaged': 'for-good',
  'decompressed-size': 'for-good',
  'tar-truncated': 'for-good',
  'tar-trailing-data': 'for-good',
  'tar-checksum': 'for-good',
  'tar-format-unknown': 'for-good',
  'tar-hidden-bytes': 'for-good',
  'tar-number-malformed': 'for-good',
  'tar-type-unknown': 'for-good',
  'tar-path-not-normal': 'for-good',
  'tar-path-duplicate': 'for-good',
  'tar-path-under-file': 'for-good',
  'tar-link-target-missing': 'for-good',
  'tar-link-malformed': 'for-good',
  'tar-pax-malformed': 'for-good',
  'tar-pax-key-unknown': 'for-good',
  'tar-pax-key-duplicate': 'for-good',
  'tar-pax-too-large': 'for-good',
  'tar-xattr-name': 'for-good',
  'tar-owner-name': 'for-good',
  'tar-sparse-malformed': 'for-good',
  'tar-sparse-unsupported': 'for-good',
  'tar-entries-limit': 'for-good',
  'tar-file-size-limit': 'for-good',
  'tar-index-size-limit': 'for-good',
  'tar-total-size-limit': 'for-good',
  // Of what came with it.
  'builder-unknown': 'for-good',
  'blob-differs': 'for-good',
  'input-lock-malformed': 'for-good',
  'inputs-archive-incomplete': 'for-good',
  'inputs-archive-malformed': 'for-good',
  'inputs-of-another-lock': 'for-good',
}

/** Undefined for a failure that nobody foresaw here, which says nothing about the source. */
export function preparationTrouble({ code }: Failure): PreparationTrouble | undefined {
  return Object.hasOwn(TROUBLES, code) ? TROUBLES[code as keyof typeof TROUBLES] : undefined
}
