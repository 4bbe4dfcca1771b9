import { BLOCK, isZero, latin1 } from './bytes.ts'
import { type TarFailureCode, tarFailure } from './failures.ts'

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
  const magic = latin1(block.subarray(257, 265))
  const gnu = magic === 'ustar  \0'
  if (!gnu && magic !== 'ustar\x0000') throw fail('tar-format-unknown')
  if (numeric(block, 148, 8, fail) !== checksum(block)) throw fail('tar-checksum')
  // GNU's own format keeps other fields where POSIX has the prefix; no tar that we are to read fills them.
  if (!isZero(block.subarray(gnu ? 345 : 500, BLOCK))) throw fail('tar-hidden-bytes')
  const prefix = gnu ? '' : text(block, 345, 155, fail)
  const name = text(block, 0, 100, fail)
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: numeric(block, 100, 8, fail),
    uid: numeric(block, 108, 8, fail),
    gid: numeric(block, 116, 8, fail),
    size: numeric(block, 124, 12, fail),
    mtime: numeric(block, 136, 12, fail),
    type: String.fromCharCode(block[156] ?? 0),
    linkName: text(block, 157, 100, fail),
    userName: text(block, 265, 32, fail),
    groupName: text(block, 297, 32, fail),
    major: device(block, 329, fail),
    minor: device(block, 337, fail),
  }
}

/** Sum of all bytes, those of the checksum field counted as spaces. */
export function checksum(block: Uint8Array): number {
  let sum = 8 * 0x20
  for (let at = 0; at < BLOCK; at += 1) sum += at >= 148 && at < 156 ? 0 : (block[at] ?? 0)
  return sum
}

type Fail = (code: TarFailureCode) => Error

function text(block: Uint8Array, at: number, length: number, fail: Fail): string {
  const field = block.subarray(at, at + length)
  const end = field.indexOf(0)
  if (end === -1) return latin1(field)
  if (!isZero(field.subarray(end))) throw fail('tar-hidden-bytes')
  return latin1(field.subarray(0, end))
}

/** A device number may be left blank by members that are no device. */
function device(block: Uint8Array, at: number, fail: Fail): number {
  return isZero(block.subarray(at, at + 8)) ? 0 : numeric(block, at, 8, fail)
}

function numeric(block: Uint8Array, at: number, length: number, fail: Fail): number {
  const lead = block[at] ?? 0
  if (lead === 0x80 || lead === 0xff) return base256(block.subarray(at, at + length), fail)
  const digits = /^ *([0-7]+)[ \0]*$/.exec(latin1(block.subarray(at, at + length)))?.[1]
  if (digits === undefined) throw fail('tar-number-malformed')
  return Number.parseInt(digits, 8)
}

/** GNU's two's complement big-endian, 0x80 for positive, 0xff for negative numbers. */
function base256(field: Uint8Array, fail: Fail): number {
  const negative = field[0] === 0xff
  let value = negative ? -1 : 0
  for (const byte of field.subarray(1)) value = value * 256 + byte
  if (!Number.isSafeInteger(value)) throw fail('tar-number-malformed')
  return value
}
