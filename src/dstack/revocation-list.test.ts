import { generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plainNumber, readRevocationList } from './revocation-list.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey

function der(tag: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)))
  const { length } = content
  return Buffer.concat([Buffer.from(length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff]), content])
}
const number = (hex: string): Buffer => der(0x02, Buffer.from(hex, 'hex'))
const algorithm = der(0x30, der(0x06, Buffer.from('2a8648ce3d040302', 'hex')))
const FROM = der(0x17, '250601000000Z')
const UNTIL = der(0x18, '20500701000000Z')

type Change = { readonly parts?: readonly Buffer[]; readonly times?: readonly Buffer[]; readonly version?: readonly Buffer[] }

/** A list that the key signed. */
function listOf({ parts = [], times = [FROM, UNTIL], version = [number('01')] }: Change = {}): Buffer {
  const signed = der(0x30, ...version, algorithm, der(0x30, der(0x31, 'who')), ...times, ...parts)
  return der(0x30, signed, algorithm, der(0x03, Buffer.from([0]), sign('sha256', signed, privateKey)))
}
const revoked = (...numbers: readonly string[]): Buffer => der(0x30, ...numbers.map((hex) => der(0x30, number(hex), FROM)))

describe('a list of revoked certificates', () => {
  it('says what is revoked, for how long that counts, and who signed it', () => {
    const list = readRevocationList(listOf({ parts: [revoked('00ff01', '0a'), der(0xa0, der(0x30))] }))
    expect([list?.from.toISOString(), list?.until.toISOString()]).toEqual(['2025-06-01T00:00:00.000Z', '2050-07-01T00:00:00.000Z'])
    expect([list?.revoked.has(plainNumber('FF01')), list?.revoked.has(plainNumber('0A')), list?.revoked.size]).toEqual([true, true, 2])
    expect([list?.isSignedBy(publicKey), list?.isSignedBy(other)]).toEqual([true, false])
  })

  it('may have nothing on it, and no version', () => {
    expect(readRevocationList(listOf())?.revoked.size).toBe(0)
    expect(readRevocationList(listOf({ version: [], parts: [revoked('01')] }))?.revoked.size).toBe(1)
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['more than one', Buffer.concat([listOf(), listOf()])],
    ['one that is cut short', listOf().subarray(0, -1)],
    ['one without an end', listOf({ times: [FROM] })],
    ['one whose end is no time', listOf({ times: [FROM, der(0x17, '259901000000Z')] })],
    ['one of things that have no number', listOf({ parts: [der(0x30, der(0x30, FROM))] })],
  ])('is not read from %s', (_, bytes) => {
    expect(readRevocationList(bytes)).toBeUndefined()
  })

  it('is signed by nobody once a bit of what it says is another, and anything can be tried as one', () => {
    const good = listOf({ parts: [revoked('0102')] })
    fc.assert(
      fc.property(fc.nat(good.length * 8 - 1), (bit) => {
        const bytes = Buffer.from(good)
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const list = readRevocationList(bytes)
        const same = list?.revoked.has('102') === true && list.until.getTime() === Date.UTC(2050, 6, 1)
        expect(list === undefined || same || !list.isSignedBy(publicKey)).toBe(true)
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => readRevocationList(Buffer.from(bytes))?.isSignedBy(publicKey) !== true),
    )
  })
})
