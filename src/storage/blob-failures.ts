import type { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'

export function isMissing(cause: unknown): boolean {
  const code = (cause as NodeJS.ErrnoException | null)?.code
  return code === 'ENOENT' || code === 'ENOTDIR'
}

export function missing(expected: Sha256): Failure {
  return new Failure({
    code: 'blob-missing',
    message: `blob ${expected} is not in the store`,
    hint: 'fetch or import what it belongs to again',
    data: { expected },
  })
}

export function differs(code: 'blob-damaged' | 'blob-differs', expected: Sha256, actual: Sha256): Failure {
  return new Failure({
    code,
    message: `expected bytes of sha256 ${expected}, got ${actual}`,
    hint:
      code === 'blob-damaged'
        ? 'the disk changed a stored blob: check the disk, then fetch it again'
        : 'the sender has other bytes than it should',
    data: { expected, actual },
  })
}

export function unusable(cause: unknown): Failure {
  if (cause instanceof Failure) return cause
  return new Failure({
    code: 'blob-folder-unusable',
    message: `the folder of blobs cannot be used (${(cause as NodeJS.ErrnoException | null)?.code ?? 'unknown'})`,
    hint: 'check free space, permissions and the disk below BITWITNESS_HOME',
    audience: 'operator',
    data: { errno: (cause as NodeJS.ErrnoException | null)?.code ?? null },
    cause,
  })
}
