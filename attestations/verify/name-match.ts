/** Characters that divide a URI or an address: a single `*` does not reach over them, so that no host or repository slips in. */
const DIVIDERS: ReadonlySet<string> = new Set(['/', '?', '#', '@'])

/** Whether a name is the wanted one: equal to its last character, or wholly matched by a pattern. */
export function nameMatches(wanted: string | { readonly pattern: string }, name: string): boolean {
  return typeof wanted === 'string' ? wanted === name : patternMatches(wanted.pattern, name)
}

type Token = { readonly kind: 'character'; readonly character: string } | { readonly kind: 'some' } | { readonly kind: 'any' }

/**
 * `*` stands for any characters but dividers, `**` for any, everything else for itself. No regular expression: nothing needs escaping
 * and the time is bounded by the product of both lengths.
 */
function patternMatches(pattern: string, name: string): boolean {
  const tokens = tokensOf(pattern)
  // reached[i]: whether the tokens so far can match exactly the first i characters.
  let reached: boolean[] = Array.from({ length: name.length + 1 }, (_, index) => index === 0)
  for (const token of tokens) {
    const next = reached.map(() => false)
    for (let at = 0; at <= name.length; at += 1) {
      const before = name[at - 1]
      if (token.kind === 'character') next[at] = before === token.character && (reached[at - 1] ?? false)
      else {
        const grows = before !== undefined && (token.kind === 'any' || !DIVIDERS.has(before)) && (next[at - 1] ?? false)
        next[at] = (reached[at] ?? false) || grows
      }
    }
    reached = next
  }
  return reached[name.length] ?? false
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? ''
    if (character !== '*') tokens.push({ kind: 'character', character })
    else if (pattern[at + 1] === '*') {
      tokens.push({ kind: 'any' })
      at += 1
    } else tokens.push({ kind: 'some' })
  }
  return tokens
}
