/** One challenge of a WWW-Authenticate header (RFC 9110 §11.6.1): scheme and parameters, names in lower case. */
export type Challenge = { readonly scheme: string; readonly parameters: ReadonlyMap<string, string> }

const MAX_LENGTH = 8192
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
const QUOTED = /"((?:[^"\\]|\\.)*)"/y
const SPACE = /[ \t]*/y

/**
 * All challenges of a header, several on one line included. Undefined where it is none by the grammar: nobody guesses then. A parameter
 * that stands twice in one challenge makes it none, since two readers could follow different ones.
 */
export function parseChallenges(header: string): readonly Challenge[] | undefined {
  if (header.length > MAX_LENGTH) return undefined
  const challenges: { scheme: string; parameters: Map<string, string> }[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const match = pattern.exec(header)
    if (match !== null) at = pattern.lastIndex
    return match
  }
  const separated = (): boolean => {
    let commas = 0
    for (take(SPACE); header[at] === ','; take(SPACE)) {
      at += 1
      commas += 1
    }
    return commas > 0
  }
  separated()
  while (at < header.length) {
    const word = take(TOKEN)?.[0]
    if (word === undefined) return undefined
    const spaces = take(SPACE)?.[0] ?? ''
    const current = challenges.at(-1)
    if (header[at] === '=' && current !== undefined) {
      at += 1
      take(SPACE)
      const value = take(QUOTED)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? take(TOKEN)?.[0]
      const name = word.toLowerCase()
      if (value === undefined || current.parameters.has(name)) return undefined
      current.parameters.set(name, value)
      if (!separated() && at < header.length) return undefined
      continue
    }
    // A scheme stands alone, or before its parameters.
    if (header[at] === '=' || (spaces === '' && at < header.length && header[at] !== ',')) return undefined
    challenges.push({ scheme: word.toLowerCase(), parameters: new Map() })
    separated()
  }
  return challenges
}
