import { BLOCK, latin1 } from './bytes.ts'
import { type TarFailureCode, tarFailure } from './failures.ts'

/** With the version behind it: POSIX's, and that of GNU tar's own format. */
const POSIX = 'ustar\x0000'
const GNU = 'ustar  \0'
const MAGICS = [POSIX, GNU]

/** Whether bytes, 512 at least, begin as POSIX or GNU tar does; texts do not. */
export function looksLikeTar(head: Uint8Array): boolean {
  return MAGICS.includes(latin1(head.subarray(257, 265)))
}

/** The fields of one 512-byte header, each read strictly; texts one character a byte. */
export type Header = {
  readonly name: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
  readonly type: string
  readonly linkName: string
  readonly userName: string
  readonly groupName: string
  readonly major: number
  readonly minor: number
}

/**
 * Reads a header of POSIX (ustar) or GNU tar. Every byte must be accounted for: text fields are zero after their end, numbers are octal
 * or base-256 and nothing else. pax(1) of POSIX.1-2017; GNU tar manual, "Basic Tar Format".
 */
export function decodeHeader(block: Uint8Array, offset: number): Header {
  const fail = (code: TarFailureCode): Error => tarFailure(code, { offset })
  // Once as text: this runs for every member, and each call into Buffer costs more than the loops below.
  const whole = latin1(block)
  const gnu = whole.startsWith(GNU, 257)
  if (!gnu && !whole.startsWith(POSIX, 257)) throw fail('tar-format-unknown')
  if (numeric(block, 148, 8, fail) !== checksum(block)) throw fail('tar-checksum')
  // GNU's own format keeps other fields where POSIX has the prefix; no tar that we are to read fills them.
  if (!zeros(block, gnu ? 345 : 500, BLOCK)) throw fail('tar-hidden-bytes')
  const text = (at: number, length: number): string => {
    let end = at
    while (end < at + length && block[end] !== 0) end += 1
    if (!zeros(block, end, at + length)) throw fail('tar-hidden-bytes')
    // Not a slice of `whole`: that would keep all 512 characters for as long as the name.
    return end === at ? '' : latin1(block.subarray(at, end))
  }
  const prefix = gnu ? '' : text(345, 155)
  const name = text(0, 100)
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: numeric(block, 100, 8, fail),
    uid: numeric(block, 108, 8, fail),
    gid: numeric(block, 116, 8, fail),
    size: numeric(block, 124, 12, fail),
    mtime: numeric(block, 136, 12, fail),
    type: whole.charAt(156),
    linkName: text(157, 100),
    userName: text(265, 32),
    groupName: text(297, 32),
    major: device(block, 329, fail),
    minor: device(block, 337, fail),
  }
}

/** Sum of all bytes, those of the checksum field counted as spaces. */
export function checksum(block: Uint8Array): number {
  let sum = 8 * SPACE
  for (let at = 0; at < 148; at += 1) sum += block[at] ?? 0
  for (let at = 156; at < BLOCK; at += 1) sum += block[at] ?? 0
  return sum
}

type Fail = (code: TarFailureCode) => Error

const SPACE = 0x20
const ZERO_DIGIT = 0x30

function zeros(block: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if (block[at] !== 0) return false
  return true
}

/** A device number may be left blank by members that are no device. */
function device(block: Uint8Array, at: number, fail: Fail): number {
  return zeros(block, at, at + 8) ? 0 : numeric(block, at, 8, fail)
}

/** Spaces, octal digits, then nothing but spaces and NULs; or base-256. */
function numeric(block: Uint8Array, from: number, length: number, fail: Fail): number {
  const lead = block[from] ?? 0
  if (lead === 0x80 || lead === 0xff) return base256(block.subarray(from, from + length), fail)
  const end = from + length
  let at = from
  while (at < end && block[at] === SPACE) at += 1
  const digits = at
  let value = 0
  for (; at < end; at += 1) {
    const digit = (block[at] ?? 0) - ZERO_DIGIT
    if (digit < 0 || digit > 7) break
    value = value * 8 + digit
  }
  if (at === digits) throw fail('tar-number-malformed')
  for (; at < end; at += 1) if (block[at] !== 0 && block[at] !== SPACE) throw fail('tar-number-malformed')
  return value
}

/** GNU's two's complement big-endian, 0x80 for positive, 0xff for negative numbers. */
function base256(field: Uint8Array, fail: Fail): number {
  const negative = field[0] === 0xff
  let value = negative ? -1 : 0
  for (const byte of field.subarray(1)) value = value * 256 + byte
  if (!Number.isSafeInteger(value)) throw fail('tar-number-malformed')
  return value
}
