/** What a lock says of a signed index, and the files that it vouches for. */
export type Release = {
  readonly suite: string
  readonly codename: string | null
  /** ISO 8601 UTC. */
  readonly date: string
  readonly validUntil: string | null
  /** sha256 -> names, relative to the release file's folder. */
  readonly files: ReadonlyMap<string, readonly string[]>
}

const BEGIN = '-----BEGIN PGP SIGNED MESSAGE-----'
const SIGNATURE = '-----BEGIN PGP SIGNATURE-----'

/**
 * Reads a Debian release file: of a clear-signed one (RFC 9580 §7) only the signed part. Undefined for anything else. The signature is
 * not checked here.
 */
export function parseRelease(text: string, clearSigned: boolean): Release | undefined {
  const signed = clearSigned ? signedPart(text) : text.split('\n')
  if (signed === undefined) return undefined
  const fields = new Map<string, string>()
  const files = new Map<string, string[]>()
  let field = ''
  for (const line of signed) {
    if (line.startsWith(' ')) {
      const entry = field === 'sha256' ? /^ ([0-9a-f]{64}) +\d+ +(\S+)$/.exec(line) : null
      if (entry?.[1] === undefined || entry[2] === undefined) continue
      const names = files.get(entry[1])
      if (names === undefined) files.set(entry[1], [entry[2]])
      else names.push(entry[2])
      continue
    }
    const name = /^([A-Za-z0-9-]+):/.exec(line)?.[1]
    const value = name === undefined ? undefined : withoutBlanks(line.slice(name.length + 1))
    if (name === undefined || value === undefined || /[\r\u2028\u2029]/.test(value)) {
      if (line.trim() === '') continue
      return undefined
    }
    field = name.toLowerCase()
    if (fields.has(field)) return undefined
    fields.set(field, value)
  }
  const date = instant(fields.get('date'))
  const suite = fields.get('suite') ?? fields.get('codename')
  if (date === null || suite === undefined) return undefined
  return { suite, codename: fields.get('codename') ?? null, date, validUntil: instant(fields.get('valid-until')), files }
}

/** By steps, not by a pattern: whoever wrote the file could make that look at every blank for every blank before it. */
function withoutBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && ' \t'.includes(text.charAt(start))) start += 1
  while (end > start && ' \t\r'.includes(text.charAt(end - 1))) end -= 1
  return text.slice(start, end)
}

function signedPart(text: string): readonly string[] | undefined {
  const lines = text.split('\n')
  const blank = lines.indexOf('')
  const end = lines.indexOf(SIGNATURE)
  if (lines[0] !== BEGIN || blank < 0 || end < blank) return undefined
  return lines.slice(blank + 1, end).map((line) => (line.startsWith('- ') ? line.slice(2) : line))
}

/** `Sat, 11 Jul 2026 10:16:37 UTC`. */
function instant(value: string | undefined): string | null {
  if (value === undefined || !/^[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} (UTC|GMT|\+0000)$/.test(value)) return null
  const at = new Date(value.replace(/(UTC|\+0000)$/, 'GMT'))
  return Number.isNaN(at.getTime()) ? null : at.toISOString()
}
