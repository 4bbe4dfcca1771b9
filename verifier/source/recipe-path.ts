import { sourceFailure } from './failures.ts'

/** A folder inside a source: `.`, or names joined by `/`. Text that a report can show as it is; refused, never normalised. */
export function checkRecipePath(path: string): string {
  if (path === '.') return path
  const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u
  if (path === '' || path.length > 1024 || hidden.test(path)) throw sourceFailure('source-path-malformed')
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..')) throw sourceFailure('source-path-malformed')
  return path
}
