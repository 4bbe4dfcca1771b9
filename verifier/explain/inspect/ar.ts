import { latin1 } from '../../tar/bytes.ts'
import { printableLatin1 } from './printable.ts'
import type { Inspection } from './signal.ts'

type ArMember = { readonly name: string; readonly header: string; readonly content: Uint8Array }

const MAGIC = '!<arch>\n'
const HEADER = 60
const MAX_MEMBERS = 20_000
const MAX_NAMED = 10

/** Members of an ar archive (deb(5), `ar.h`): name16 mtime12 uid6 gid6 mode8 size10; null where it is none. */
function readAr(bytes: Uint8Array): ArMember[] | null {
  if (latin1(bytes.subarray(0, 8)) !== MAGIC) return null
  const members: ArMember[] = []
  for (let at = 8; at < bytes.length; ) {
    const header = latin1(bytes.subarray(at, at + HEADER))
    const size = Number(/^\d{1,10} *$/.exec(header.slice(48, 58))?.[0] ?? Number.NaN)
    if (!header.endsWith('`\n') || !(at + HEADER + size <= bytes.length) || members.length === MAX_MEMBERS) return null
    members.push({ name: header.slice(0, 16).trimEnd(), header, content: bytes.subarray(at + HEADER, at + HEADER + size) })
    at += HEADER + size + (size % 2)
  }
  return members
}

/** Which members of two static libraries (or packages) differ, and whether only their headers do. */
export function inspectAr(left: Uint8Array, right: Uint8Array): (Pick<Inspection, 'signals' | 'whole'> & { notes: string[] }) | null {
  const [a, b] = [readAr(left), readAr(right)]
  if (a === null || b === null) return null
  const sameNames = a.length === b.length && a.every((member, index) => member.name === b[index]?.name)
  if (!sameNames) return { notes: [`${a.length} → ${b.length} members, or in another order`], signals: [], whole: false }
  const contents = a.filter((member, index) => Buffer.compare(member.content, b[index]?.content ?? new Uint8Array()) !== 0)
  const headers = a.flatMap((member, index) => (member.header === b[index]?.header ? [] : [[member, b[index]] as const]))
  const name = (member: ArMember): string => printableLatin1(member.name, 40)
  const notes: string[] = []
  if (contents.length > 0) notes.push(`members whose content differs: ${list(contents.map(name))}`)
  if (headers.length > 0) notes.push(`members whose header differs: ${list(headers.map(([member]) => name(member)))}`)
  const [sample] = headers
  if (sample === undefined || contents.length > 0) return { notes, signals: [], whole: false }
  const fields = (member: ArMember | undefined): string =>
    printableLatin1((member?.header.slice(16, 48) ?? '').replaceAll(/ +/g, ' ').trim(), 60)
  return { notes, signals: [{ id: 'ar-header', evidence: `${name(sample[0])}: ${fields(sample[0])} → ${fields(sample[1])}` }], whole: true }
}

function list(names: readonly string[]): string {
  const rest = names.length - MAX_NAMED
  return `${names.slice(0, MAX_NAMED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}
