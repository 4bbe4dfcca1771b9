/** Where the file of every package but `by` lies instead: `from` to `to`, both without leading slash. */
export type Diversion = { readonly from: string; readonly to: string; readonly by: string }

/** Reads `var/lib/dpkg/diversions` (one character a byte): from, to and package in turn, a line each; `:` for the administrator's own. */
export function readDiversions(text: string): Diversion[] {
  const lines = text.split('\n')
  const found: Diversion[] = []
  for (let at = 0; at + 2 < lines.length; at += 3) {
    const [from, to, by] = [lines[at] ?? '', lines[at + 1] ?? '', lines[at + 2] ?? '']
    if (from.startsWith('/') && to.startsWith('/')) found.push({ from: from.slice(1), to: to.slice(1), by })
  }
  return found
}
