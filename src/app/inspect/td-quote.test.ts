import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MOST_QUOTE_BYTES, readTdQuote } from './td-quote.ts'

/** A body in which every register is filled with a byte of its own. */
function bodyOf(size: number): Buffer {
  const body = Buffer.alloc(size)
  for (const [index, at] of [136, 184, 232, 280, 328, 376, 424, 472].entries()) body.fill(index + 1, at, at + 48)
  return body.fill(0xdd, 520, 584)
}
function header(version: number, keyType = 2, tee = 0x81): Buffer {
  const bytes = Buffer.alloc(48)
  bytes.writeUInt16LE(version, 0)
  bytes.writeUInt16LE(keyType, 2)
  bytes.writeUInt32LE(tee, 4)
  return bytes
}
function newer(type: number, size: number, body = bodyOf(size)): Buffer {
  const kind = Buffer.alloc(6)
  kind.writeUInt16LE(type, 0)
  kind.writeUInt32LE(size, 2)
  return Buffer.concat([header(5), kind, body])
}
const older = Buffer.concat([header(4), bodyOf(584)])
const READ = {
  mrtd: '01'.repeat(48),
  mrConfigId: '02'.repeat(48),
  rtmrs: ['05', '06', '07', '08'].map((byte) => byte.repeat(48)),
  reportData: 'dd'.repeat(64),
  debug: false,
  plain: true,
}

describe('a quote', () => {
  it('says what it is about, in each of its versions', () => {
    expect(readTdQuote(Buffer.concat([older, Buffer.alloc(100)]))).toEqual({ version: 4, ...READ })
    expect(readTdQuote(newer(2, 584))).toEqual({ version: 5, ...READ })
    expect(readTdQuote(newer(3, 648))).toEqual({ version: 5, ...READ })
  })

  it('says who can look into the guest', () => {
    const changed = (bytes: Buffer, at: number) => readTdQuote(Buffer.from(bytes).fill(1, at, at + 1))
    expect(changed(older, 48 + 120)).toMatchObject({ debug: true })
    expect(changed(older, 48 + 64)).toMatchObject({ plain: false })
    expect(changed(newer(3, 648), 54 + 647)).toMatchObject({ plain: false })
  })

  it.each([
    ['it is empty', Buffer.alloc(0)],
    ['a byte is missing', older.subarray(0, -1)],
    ['it is of an enclave', Buffer.concat([header(4, 2, 0), bodyOf(584)])],
    ['it is of another version', Buffer.concat([header(3), bodyOf(584)])],
    ['it is signed in another way', Buffer.concat([header(4, 3), bodyOf(584)])],
    ['it has the body of an enclave', newer(1, 584)],
    ['its body is of another size', newer(3, 584)],
    ['its body is cut short', newer(3, 648, bodyOf(600))],
    ['it is larger than any', Buffer.concat([older, Buffer.alloc(MOST_QUOTE_BYTES)])],
  ])('is none where %s', (_, bytes) => {
    expect(readTdQuote(bytes)).toBeUndefined()
  })

  it('is read from anything without a throw', () => {
    fc.assert(
      fc.property(fc.constantFrom(4, 5), fc.uint8Array({ maxLength: 800 }), (version, rest) => {
        expect(() => readTdQuote(Buffer.concat([header(version), rest]))).not.toThrow()
      }),
    )
  })
})
