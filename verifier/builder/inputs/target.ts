import { ArchiveName, ArchivePath } from '../../model/lock.ts'

/** What a builder's sources name instead of a host: a name that no resolver answers (RFC 2606). */
export const LOGICAL_BASE = 'http://archive.invalid'

/** One address of an archive, as it stands in a lock. */
export type Target = { readonly archive: string; readonly path: string }

export type TargetReading =
  | { readonly kind: 'target'; readonly target: Target }
  /** `host` is what was asked for instead, where it has the form of a host name. */
  | { readonly kind: 'refused'; readonly host: string }

/** Characters that apt writes as escapes although a path may hold them. Letters, digits, `.` and `/` have one spelling only. */
const ESCAPES = new Map(['~', '+', ':', '@', '=', ','].map((character) => [hex(character), character]))

/**
 * Reads the request target of a proxy request (RFC 9112, absolute form). There is one spelling for each component, so that no two
 * readers can disagree about which file is meant: no `.` or `..`, empty component, query, fragment, or escape of what needs none.
 */
export function readTarget(url: string): TargetReading {
  const parts = /^http:\/\/archive\.invalid\/([^/]+)\/(.+)$/.exec(url)
  const archive = ArchiveName.safeParse(parts?.[1])
  const path = ArchivePath.safeParse(unescape(parts?.[2] ?? ''))
  if (archive.success && path.success) return { kind: 'target', target: { archive: archive.data, path: path.data } }
  return { kind: 'refused', host: /^(?:https?:\/\/)?([a-z0-9.-]{1,253})(?::\d{1,5})?(?:\/|$)/i.exec(url)?.[1] ?? '' }
}

/** The address of a path below a mirror's root. */
export function mirrorUrl(mirror: URL, path: string): URL {
  const base = mirror.href.endsWith('/') ? mirror.href : `${mirror.href}/`
  return new URL(`${base}${path.replaceAll('%', '%25').replaceAll('+', '%2b')}`)
}

/** One string for an address; neither part can hold a zero byte. */
export function targetKey(target: Target): string {
  return `${target.archive}\0${target.path}`
}

function unescape(path: string): string {
  // What is not on the list becomes what no path can hold.
  return path.includes('%') ? path.replaceAll(/%(?:[0-9a-f]{2})?/gi, (escape) => ESCAPES.get(escape.toLowerCase()) ?? '\0') : path
}

function hex(character: string): string {
  return `%${character.charCodeAt(0).toString(16)}`
}
