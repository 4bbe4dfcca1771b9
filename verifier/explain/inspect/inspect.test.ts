import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ContentDetail } from '../../model/explanation.ts'
import { viewBuffer } from '../byte-view.ts'
import { EXPLAIN_LIMITS, type ExplainLimits } from '../limits.ts'
import { differingRanges } from './byte-ranges.ts'
import { inspect } from './inspect.ts'
import { printable } from './printable.ts'
import type { Inspection } from './signal.ts'

async function seen(
  a: string | Uint8Array,
  b: string | Uint8Array,
  path = 'f',
  limits: ExplainLimits = EXPLAIN_LIMITS,
): Promise<Inspection> {
  const view = (bytes: string | Uint8Array) => viewBuffer(typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
  const inspection = await inspect({ path, left: view(a), right: view(b), limits })
  ContentDetail.parse(inspection.detail)
  return inspection
}

const ids = ({ signals, whole }: Inspection): unknown => [signals.map(({ id }) => id), whole]

describe('texts', () => {
  it.each([
    ['a date', 'built on 2026-11-23 10:00:00 UTC\n', 'built on 2026-11-24 11:22:33 UTC\n', 'date'],
    ['a date in words', 'Mon Nov 23 10:00:00 UTC 2026\n', 'Tue Nov 24 11:00:00 UTC 2026\n', 'date'],
    ['seconds since the epoch', 'T=1763900000\n', 'T=1763999999\n', 'date'],
    ['a uuid', 'id 0f8fad5b-d9cb-469f-a165-70867728950e\n', 'id 7c9e6679-7425-40de-944b-e07fc1f90ae7\n', 'id'],
    ['hex of one length', 'seed=0123456789abcdef\n', 'seed=fedcba9876543210\n', 'id'],
    ['a build folder', 'from /tmp/build.x81/src/a.c\n', 'from /tmp/build.k23/src/a.c\n', 'build-path'],
    ['a process id', 'dpkg[123]: ok\n', 'dpkg[4567]: ok\n', 'process-id'],
    ['a number of processors', 'MAKEFLAGS jobs=4\n', 'MAKEFLAGS jobs=16\n', 'cpu-count'],
    ['the order of lines', 'a\nb\nc\n', 'c\na\nb\n', 'line-order'],
  ])('know %s', async (_, a, b, id) => {
    expect(ids(await seen(a, b))).toEqual([[id], true])
  })

  it('name several causes of one text', async () => {
    const inspection = await seen('2026-11-23 id 0123456789abcdef\n', '2026-11-24 id fedcba9876543210\n')
    expect(ids(inspection)).toEqual([['id', 'date'], true])
    expect(inspection.signals[1]?.evidence).toBe('2026-11-23 → 2026-11-24')
  })

  it.each([
    ['a word', 'colour red\n', 'colour blue\n'],
    ['a version', 'version 1.2.3\n', 'version 1.2.4\n'],
    ['hex of another length', 'seed=0123456789abcdef\n', 'seed=0123456789abcdef01\n'],
    ['a date and a word', '2026-11-23 red\n', '2026-11-24 blue\n'],
    ['a line more', 'a\nb\n', 'a\nb\nc\n'],
    ['a number', 'listen 8080\n', 'listen 8081\n'],
  ])('do not explain %s away', async (_, a, b) => {
    expect(ids(await seen(a, b))).toEqual([[], false])
  })

  it('are shown as a unified diff, cut to the bounds', async () => {
    const lines = (word: string): string => Array.from({ length: 100 }, (_, index) => `${word} ${index}\n`).join('')
    const { detail } = await seen(lines('red'), lines('blue'), 'f', { ...EXPLAIN_LIMITS, maxDiffLines: 5 })
    expect(detail.diff).toEqual(['@@ -1,100 +1,100 @@', '-red 0', '-red 1', '-red 2', '-red 3'])
    expect(detail.diffOmitted).toBe(196)
  })

  it('are given up where they have little in common', async () => {
    const lines = (word: string): string => Array.from({ length: 2000 }, (_, index) => `${word} ${index}\n`).join('')
    const { detail } = await seen(lines('red'), lines('blue'))
    expect(detail).toMatchObject({ diff: null, notes: ['too different for a diff'] })
  })

  it('never let a control or bidi character through', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), async (a, b) => {
        const common = 'some ordinary text that makes it one\n'.repeat(20)
        const { detail, signals } = await seen(`${common}${a}`, `${common}${b}`)
        expect(
          /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test([...(detail.diff ?? []), ...detail.notes, ...signals.map((one) => one.evidence)].join('')),
        ).toBe(false)
      }),
    )
  })
})

describe('secrets', () => {
  const pem = (text: string): string => `-----BEGIN PRIVATE KEY-----\n${text}\n-----END PRIVATE KEY-----\n`
  it.each([
    ['a private key', pem('hidden-one'), pem('hidden-two'), 'srv/key'],
    ['a packed private key', gzipSync(pem('hidden-one')), gzipSync(pem('hidden-two')), 'srv/key.gz'],
    ['a seed', 'hidden-one', 'hidden-two', 'var/lib/systemd/random-seed'],
    ['a host key', 'hidden-one', 'hidden-two', 'etc/ssh/ssh_host_rsa_key'],
    ['shadow', 'root:$6$hidden-one:1:::::\n', 'root:$6$hidden-two:1:::::\n', 'etc/shadow'],
    ['gshadow', 'root:hidden-one::\n', 'root:hidden-two::\n', 'etc/gshadow'],
  ])('are named and not shown: %s', async (_, a, b, path) => {
    const inspection = await seen(a, b, path)
    expect(inspection.detail).toMatchObject({ format: 'withheld', diff: null, firstDifference: null })
    expect(JSON.stringify(inspection)).not.toMatch(/hidden|68696464/)
  })

  it('tell a salt from a changed account', async () => {
    const line = (hash: string, day = '1', rest = '0:99999:7:::'): string => `root:${hash}:${day}:${rest}\n`
    expect(ids(await seen(line('$y$a'), line('$y$b'), 'etc/shadow'))).toEqual([['password-hash'], true])
    expect(ids(await seen(line('$y$a'), line('$y$a', '2'), 'etc/shadow'))).toEqual([['password-date'], true])
    expect(ids(await seen(line('$y$a'), line('*'), 'etc/shadow'))).toEqual([[], false])
    expect(ids(await seen(line('$y$a'), line('$y$b', '1', '0:1:7:::'), 'etc/shadow'))).toEqual([['password-hash'], false])
    expect(ids(await seen(line('$y$a'), `${line('$y$b')}x:*:1:0:99999:7:::\n`, 'etc/shadow'))).toEqual([['password-hash'], false])
  })
})

describe('compressed files', () => {
  const timed = (bytes: Buffer, time: number): Buffer => {
    const copy = Buffer.from(bytes)
    copy.writeUInt32LE(time, 4)
    return copy
  }

  it('know the time in a gzip header', async () => {
    const packed = gzipSync('text')
    expect(ids(await seen(timed(packed, 1), timed(packed, 2)))).toEqual([['gzip-time'], true])
  })

  it('know another compression of the same bytes', async () => {
    const text = Buffer.from('some text '.repeat(1000))
    expect(ids(await seen(gzipSync(text, { level: 1 }), gzipSync(text, { level: 9 })))).toEqual([['recompressed'], true])
    expect(
      ids(
        await seen(zstdCompressSync(text), zstdCompressSync(Buffer.concat([text, text]).subarray(0, text.length), { params: { 100: 19 } })),
      ),
    ).toEqual([['recompressed'], true])
  })

  it('are looked into', async () => {
    const inspection = await seen(gzipSync('on 2026-11-23\n'), gzipSync('on 2026-11-24\n'))
    expect(ids(inspection)).toEqual([['date'], true])
    expect(inspection.detail).toMatchObject({ format: 'gzip', diff: ['@@ -1,1 +1,1 @@', '-on 2026-11-23', '+on 2026-11-24'] })
  })

  it('are not unpacked beyond the bound, nor where damaged', async () => {
    const bomb = (fill: string): Buffer => gzipSync(Buffer.alloc(2_000_000, fill))
    const limits = { ...EXPLAIN_LIMITS, maxUnpackedSize: 1_000_000 }
    expect((await seen(bomb('a'), bomb('b'), 'f', limits)).detail.notes).toEqual(['cannot be unpacked within bounds'])
    expect((await seen(gzipSync('a').subarray(0, 12), gzipSync('b').subarray(0, 13))).detail.notes).toEqual([
      'cannot be unpacked within bounds',
    ])
  })
})

describe('binaries', () => {
  it('show where they begin to differ', async () => {
    const { detail } = await seen(Buffer.from([0, 1, 2, 3, 0xff]), Buffer.from([0, 1, 9, 3, 0xff]))
    expect(detail).toMatchObject({ format: 'binary', diff: null, firstDifference: { offset: 2, left: '0203ff', right: '0903ff' } })
  })

  it('know a date or a build path inside, and nothing else', async () => {
    const binary = (text: string): Buffer => Buffer.concat([Buffer.alloc(50), Buffer.from(text), Buffer.alloc(50, 0x80)])
    expect(ids(await seen(binary('Nov 23 2026 10:00:01'), binary('Nov 24 2026 11:00:02')))).toEqual([['date'], true])
    expect(ids(await seen(binary('/work/a1/x.c'), binary('/work/longer/x.c')))).toEqual([['build-path'], true])
    expect(ids(await seen(binary('red'), binary('rat')))).toEqual([[], false])
  })

  it('know an ar archive by its headers', async () => {
    const ar = (time: string, content: string): string =>
      `!<arch>\n${'a.o/'.padEnd(16)}${time.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'644'.padEnd(8)}${String(content.length).padEnd(10)}\`\n${content}`
    expect(ids(await seen(ar('1763900000', 'xy'), ar('1763900001', 'xy')))).toEqual([['ar-header'], true])
    const changed = await seen(ar('1', 'xy'), ar('1', 'xz'))
    expect(ids(changed)).toEqual([[], false])
    expect(changed.detail.notes[0]).toBe('members whose content differs: a.o/')
  })

  it('know compiled Python by its time', async () => {
    const pyc = (time: number, code: string): Buffer => {
      const head = Buffer.alloc(16)
      head.writeUInt32LE(0x0a0d0da7, 0)
      head.writeUInt32LE(time, 8)
      return Buffer.concat([head, Buffer.from(code)])
    }
    expect(ids(await seen(pyc(1, '\xe3code'), pyc(2, '\xe3code'), 'x.pyc'))).toEqual([['pyc-time'], true])
    expect(ids(await seen(pyc(1, '\xe3code'), pyc(2, '\xe3kode'), 'x.pyc'))).toEqual([['pyc-time'], false])
  })

  it('know an ELF file that differs in its build id only', async () => {
    const one = elf({ id: 'aa', text: 'code' })
    const other = await seen(one, elf({ id: 'bb', text: 'code' }))
    expect(ids(other)).toEqual([['elf-identity'], true])
    expect(other.detail.notes.slice(0, 2)).toEqual([
      `build id ${'aa'.repeat(20)} → ${'bb'.repeat(20)}`,
      'sections that differ: .note.gnu.build-id',
    ])
    const changed = await seen(one, elf({ id: 'bb', text: 'kode' }))
    expect(ids(changed)).toEqual([[], false])
    expect(changed.detail.notes[1]).toBe('sections that differ: .note.gnu.build-id, .text')
  })

  it('do not take an ELF file for equal where something differs that is in no section', async () => {
    const [one, other] = [elf({ id: 'aa', text: 'code' }), elf({ id: 'bb', text: 'code' })]
    other[48] = 1
    const inspection = await seen(one, other)
    expect(inspection.detail.notes[1]).toBe('sections that differ: .note.gnu.build-id')
    expect(ids(inspection)).toEqual([[], false])
  })

  it('know a zip file by the times of its members', async () => {
    const zip = (time: number, crc: number): Buffer => {
      const [entry, end] = [Buffer.alloc(46 + 1), Buffer.alloc(22)]
      entry.writeUInt32LE(0x02014b50, 0)
      entry.writeUInt32LE(time, 12)
      entry.writeUInt32LE(crc, 16)
      entry.writeUInt16LE(1, 28)
      entry.write('a', 46)
      end.write('PK\x05\x06', 0, 'latin1')
      end.writeUInt16LE(1, 10)
      end.writeUInt32LE(4, 16)
      return Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), entry, end])
    }
    const day = ((46 << 9) | (11 << 5) | 23) * 65_536
    const timed = await seen(zip(day, 1), zip(day + 65_536, 1))
    expect(ids(timed)).toEqual([['zip-time'], true])
    expect(timed.signals[0]?.evidence).toBe('a: 2026-11-23 00:00:00 → 2026-11-24 00:00:00')
    const changed = await seen(zip(day, 1), zip(day + 65_536, 2))
    expect(ids(changed)).toEqual([[], false])
    expect(changed.detail.notes[0]).toBe('members that differ: a')
  })

  it('only search what is too large', async () => {
    const limits = { ...EXPLAIN_LIMITS, maxFileSize: 100 }
    const { detail } = await seen(
      Buffer.alloc(3_000_000),
      Buffer.concat([Buffer.alloc(2_000_000), Buffer.alloc(1_000_000, 1)]),
      'f',
      limits,
    )
    expect(detail).toMatchObject({
      format: 'too-large',
      firstDifference: { offset: 2_000_000, left: '00'.repeat(16), right: '01'.repeat(16) },
    })
  })

  it('of any bytes under any known magic are read without a fault', async () => {
    const magic = fc.constantFrom(
      [],
      [0x1f, 0x8b, 8],
      [0x28, 0xb5, 0x2f, 0xfd],
      [0x7f, 0x45, 0x4c, 0x46, 2, 1],
      [...Buffer.from('!<arch>\n')],
      [0x50, 0x4b, 3, 4],
    )
    const bytes = fc.tuple(magic, fc.uint8Array({ maxLength: 300 })).map(([head, rest]) => Buffer.from([...head, ...rest]))
    await fc.assert(
      fc.asyncProperty(bytes, bytes, async (a, b) => {
        const { detail } = await seen(a, b, 'x.pyc')
        expect(detail.notes.join('').length).toBeLessThan(5_000)
      }),
    )
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.nat(255), async (at, from, value) => {
        const base = elf({ id: 'aa', text: 'code' })
        const hostile = Buffer.from(base)
        hostile[at % hostile.length] = value
        hostile[from % 64] = value
        expect((await seen(base, hostile)).detail.format).toMatch(/elf|binary|text/)
      }),
    )
  })
})

/** A little-endian 64-bit ELF file with a build id, a text section and their names. */
function elf({ id, text }: { id: string; text: string }): Buffer {
  const names = Buffer.from('\0.note.gnu.build-id\0.text\0.shstrtab\0')
  const note = Buffer.concat([Buffer.from('040000001400000003000000474e5500', 'hex'), Buffer.from(id.repeat(20), 'hex')])
  const parts = [note, Buffer.from(text), names]
  const head = Buffer.alloc(64)
  head.write('\x7fELF\x02\x01\x01', 0, 'latin1')
  const offsets = parts.map((_, index) => 64 + parts.slice(0, index).reduce((sum, part) => sum + part.length, 0))
  const tableAt = 64 + parts.reduce((sum, part) => sum + part.length, 0)
  head.writeBigUInt64LE(BigInt(tableAt), 40)
  head.writeUInt16LE(64, 58)
  head.writeUInt16LE(4, 60)
  head.writeUInt16LE(3, 62)
  const table = Buffer.alloc(4 * 64)
  parts.forEach((part, index) => {
    const at = (index + 1) * 64
    table.writeUInt32LE([1, 20, 26][index] ?? 0, at)
    table.writeUInt32LE([7, 1, 3][index] ?? 0, at + 4)
    table.writeBigUInt64LE(BigInt(offsets[index] ?? 0), at + 24)
    table.writeBigUInt64LE(BigInt(part.length), at + 32)
  })
  return Buffer.concat([head, ...parts, table])
}

describe('differingRanges', () => {
  it('covers every differing byte and begins and ends with one', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 50, maxLength: 50, max: 1 }),
        fc.uint8Array({ minLength: 50, maxLength: 50, max: 1 }),
        (a, b) => {
          const ranges = differingRanges(a, b, { gap: 2, max: 1000 }) ?? []
          const covered = (at: number): boolean => ranges.some(({ offset, length }) => at >= offset && at < offset + length)
          for (let at = 0; at < 50; at += 1) if (a[at] !== b[at]) expect(covered(at)).toBe(true)
          for (const { offset, length } of ranges)
            expect([a[offset] === b[offset], a[offset + length - 1] === b[offset + length - 1]]).toEqual([false, false])
        },
      ),
    )
  })
})

describe('printable', () => {
  it('cuts no escape and no character in two', () => {
    expect(printable(Buffer.from('ab\x01cd'), 4)).toBe('ab…')
    expect(printable(Buffer.from('ab😀cd'), 3)).toBe('ab…')
    expect(printable(Buffer.from('abc'), 3)).toBe('abc')
  })
})
