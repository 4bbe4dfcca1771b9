import { ArchiveName } from '../../verifier/model/lock.ts'

/** For each archive the base addresses below which `dists/` and `pool/` lie, the preferred one first. Each ends in a slash. */
export type Mirrors = ReadonlyMap<string, readonly URL[]>

/** Reads `archive=URL` entries, separated by spaces; an archive named more than once has several mirrors, in this order. Undefined if malformed. */
export function parseMirrors(text: string): Mirrors | undefined {
  const mirrors = new Map<string, URL[]>()
  for (const entry of text.split(/\s+/).filter((part) => part !== '')) {
    const at = entry.indexOf('=')
    const archive = ArchiveName.safeParse(entry.slice(0, at))
    const url = parseBase(entry.slice(at + 1))
    if (at < 1 || !archive.success || url === undefined) return undefined
    mirrors.set(archive.data, [...(mirrors.get(archive.data) ?? []), url])
  }
  return mirrors.size > 0 ? mirrors : undefined
}

/** An http(s) base address with a slash at its end, or undefined. User names and passwords have no place in it. */
export function parseBase(text: string): URL | undefined {
  const url = parseAddress(text.endsWith('/') ? text : `${text}/`)
  return url?.search === '' ? url : undefined
}

/** An http(s) address, or undefined. User names and passwords have no place in it. */
export function parseAddress(text: string): URL | undefined {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return undefined
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined
}
