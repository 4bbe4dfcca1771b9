import { escapeBytes } from '../../model/tree-manifest.ts'

/** Bytes as text that a terminal or a page shows and never obeys; cut to `maxLength` characters. */
export function printable(bytes: Uint8Array, maxLength: number): string {
  if (bytes.length === 0) return ''
  // A byte takes at most four characters and a character at most four bytes.
  const text = escapeBytes(bytes.subarray(0, maxLength * 4))
  const cutBytes = bytes.length > maxLength * 4
  if (text.length <= maxLength && !cutBytes) return text
  // Neither half an escape nor half a character is left at the cut.
  return `${text.slice(0, maxLength).replace(/\\(?:x[0-9a-f]?)?$|[\ud800-\udbff]$/, '')}…`
}

/** One character a byte, escaped. */
export function printableLatin1(text: string, maxLength: number): string {
  return printable(Buffer.from(text, 'latin1'), maxLength)
}
