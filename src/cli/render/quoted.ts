import { visible } from '../../../verifier/model/visible.ts'

/** A word as a POSIX shell takes it for itself. What moves a terminal is made visible, and then is no longer the word. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : `'${visible(word).replaceAll("'", "'\\''")}'`
}
