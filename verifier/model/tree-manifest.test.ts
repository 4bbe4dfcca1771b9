import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Sha256 } from './digest.ts'
import { decodeEntry, encodeEntry, escapeBytes, type TreeEntry, unescapeBytes } from './tree-manifest.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const hostile = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc.string({ unit: 'binary', maxLength: 32 }).map(bytes),
  fc
    .string({ unit: fc.constantFrom('\\', 'x', '2', 'c', '-', '\t', '\n', '=', ',', '\u202e', '\u0000', 'é', '\u{1f600}'), maxLength: 16 })
    .map(bytes),
)
const escaped = hostile.map(escapeBytes)

describe('escapeBytes', () => {
  it.each([
    ['etc/passwd', 'etc/passwd'],
    ['with space', 'with space'],
    ['café', 'café'],
    ['back\\slash', 'back\\\\slash'],
    ['tab\there', 'tab\\x09here'],
    ['new\nline', 'new\\x0aline'],
    ['\u001b[31m', '\\x1b[31m'],
    ['\u202egpj.exe', '\\xe2\\x80\\xaegpj.exe'],
    ['\u2028', '\\xe2\\x80\\xa8'],
    ['\ufeffbom', '\\xef\\xbb\\xbfbom'],
    ['-', '\\x2d'],
    ['--', '--'],
    ['', ''],
  ])('writes %j as %j', (text, expected) => {
    expect(escapeBytes(bytes(text))).toBe(expected)
  })

  it('writes bytes that are not UTF-8 one by one', () => {
    expect(escapeBytes(Uint8Array.of(0x61, 0xff, 0x5c, 0x62))).toBe('a\\xff\\x5cb')
  })

  it('can be undone for any bytes', () => {
    fc.assert(
      fc.property(hostile, (input) => {
        expect(unescapeBytes(escapeBytes(input))).toEqual(Uint8Array.from(input))
      }),
      { numRuns: 2000 },
    )
  })

  it('never yields a tab, a line break, a lone dash or a character that moves a terminal', () => {
    fc.assert(
      fc.property(hostile, (input) => {
        const text = escapeBytes(input)
        expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
        expect(text).not.toBe('-')
      }),
      { numRuns: 2000 },
    )
  })
})

it.each(['\\', 'a\\', '\\x', '\\xg0', '\\xAB', '\\n'])('unescapeBytes refuses %j', (text) => {
  expect(() => unescapeBytes(text)).toThrow(expect.objectContaining({ code: 'tree-manifest-malformed' }))
})

const anyEntry: fc.Arbitrary<TreeEntry> = fc.record({
  path: escaped.filter((path) => path !== ''),
  type: fc.constantFrom('f', 'h', 'd', 'l', 'c', 'b', 'p'),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 2 ** 32 }),
  gid: fc.maxSafeNat(),
  mtime: fc.oneof(fc.integer().map(String), fc.constant('1701475200.123456789'), fc.constant('-1.5')),
  size: fc.maxSafeNat(),
  sha256: fc.constantFrom(null, Sha256.parse('0f'.repeat(32))),
  link: fc.oneof(fc.constant(null), escaped),
  device: fc.constantFrom(null, '1:3'),
  xattrs: fc.array(
    fc.tuple(
      escaped.filter((name) => name !== ''),
      fc.uint8Array({ maxLength: 8 }).map((value) => Buffer.from(value).toString('hex')),
    ),
    { maxLength: 3 },
  ),
})

describe('encodeEntry', () => {
  it('writes one line of tab-separated fields, the path last', () => {
    expect(
      encodeEntry({
        path: 'usr/bin/su',
        type: 'f',
        mode: 0o4755,
        uid: 0,
        gid: 8,
        mtime: '1701475200',
        size: 71912,
        sha256: Sha256.parse('ab'.repeat(32)),
        link: null,
        device: null,
        xattrs: [
          ['security.capability', '01ff'],
          ['user.a=b,c', ''],
        ],
      }),
    ).toBe(`f\t4755\t0\t8\t1701475200\t71912\t${'ab'.repeat(32)}\t-\tsecurity.capability=01ff,user.a\\x3db\\x2cc=\t-\tusr/bin/su`)
  })

  it('can be undone for any entry', () => {
    fc.assert(
      fc.property(anyEntry, (entry) => {
        expect(decodeEntry(encodeEntry(entry))).toEqual(entry)
      }),
      { numRuns: 2000 },
    )
  })

  it('gives different lines for different entries', () => {
    fc.assert(
      fc.property(anyEntry, anyEntry, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other))
        expect(encodeEntry(one)).not.toBe(encodeEntry(other))
      }),
    )
  })
})

const good = 'd\t0755\t0\t0\t0\t0\t-\t-\t-\t-\t.'

describe('decodeEntry', () => {
  it('reads the root', () => {
    expect(decodeEntry(good)).toEqual({
      path: '.',
      type: 'd',
      mode: 0o755,
      uid: 0,
      gid: 0,
      mtime: '0',
      size: 0,
      sha256: null,
      link: null,
      device: null,
      xattrs: [],
    })
  })

  it.each([
    ['an empty line', ''],
    ['a field too few', good.replace('\t.', '')],
    ['a field too many', `${good}\t.`],
    ['an unknown type', good.replace('d', 'x')],
    ['a mode that is not octal', good.replace('0755', '0789')],
    ['a mode of five digits', good.replace('0755', '00755')],
    ['an owner with a sign', good.replace('\t0\t0\t0\t0', '\t+0\t0\t0\t0')],
    ['an owner with leading zeros', good.replace('0755\t0', '0755\t00')],
    ['an owner beyond what a number holds', good.replace('0755\t0', '0755\t99999999999999999999')],
    ['a time that is no number', good.replace('0\t0\t0\t0', '0\t0\tnow\t0')],
    ['a short digest', good.replace('\t-\t-\t-\t-', '\tabc\t-\t-\t-')],
    ['a digest in capitals', good.replace('\t-\t-\t-\t-', `\t${'AB'.repeat(32)}\t-\t-\t-`)],
    ['an attribute without a value', good.replace('\t-\t-\t-\t-', '\t-\t-\tuser.a\t-')],
    ['an attribute without a name', good.replace('\t-\t-\t-\t-', '\t-\t-\t=00\t-')],
    ['an attribute of half a byte', good.replace('\t-\t-\t-\t-', '\t-\t-\tuser.a=0\t-')],
  ])('refuses %s', (_, line) => {
    expect(() => decodeEntry(line)).toThrow(expect.objectContaining({ code: 'tree-manifest-malformed' }))
  })

  it('reads nothing that it would write differently', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...good.split('')), minLength: good.length, maxLength: good.length + 4 }), (line) => {
        let entry: TreeEntry
        try {
          entry = decodeEntry(line)
        } catch {
          return
        }
        expect(encodeEntry(entry)).toBe(line)
      }),
    )
  })
})
