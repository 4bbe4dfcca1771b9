/** A gateway that may be asked: its domain, in which a star stands for letters, digits and hyphens of one name. */
export type ListedGateway = {
  readonly domain: string
  /** Where to connect for it, whatever its name leads to; null: where its name leads, if that is public. */
  readonly connect: { readonly host: string; readonly port: number } | null
}

/** The first entry that a domain is listed by. A pure function. */
export function listedGateway(domain: string, list: readonly ListedGateway[]): ListedGateway | undefined {
  return list.find((entry) => matches(domain, entry.domain))
}

function matches(domain: string, pattern: string): boolean {
  const [names, patterns] = [domain.split('.'), pattern.split('.')]
  return names.length === patterns.length && patterns.every((one, index) => nameMatches(names[index] ?? '', one))
}

/** One star at most, so that nothing is tried twice. */
function nameMatches(name: string, pattern: string): boolean {
  const star = pattern.indexOf('*')
  if (star === -1) return name === pattern
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)]
  return name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after)
}
