import { escapeBytes } from './tree-manifest.ts'

const MOST = 200

/**
 * What somebody named, for a message: in quotes, with everything that a terminal would obey escaped, cut where it is long. A URL that went
 * to the wrong place could hold a password, and is not repeated.
 */
export function shownName(text: string): string {
  if (/:\/\/|:[^/]*@/.test(text)) return 'a URL'
  const shown = escapeBytes(new TextEncoder().encode(text.length > MOST ? `${text.slice(0, MOST)}…` : text))
  return `"${shown}"`
}
