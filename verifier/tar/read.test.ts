import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { escapeBytes } from '../model/tree-manifest.ts'
import { IMAGE_TAR_LIMITS, SOURCE_TAR_LIMITS, type TarLimits } from './limits.ts'
import { readTar } from './read.ts'
import { collectTar, inPieces } from './testing/collect.ts'
import { RAW_END, type RawFields, rawHeader, rawMember, rawPax, rawSize, rawTar } from './testing/raw-tar.ts'

const directory: RawFields = { name: './d/', type: '5', mode: '0000755\0' }
const file = rawMember({ name: './f' }, 'hello')
const SPARSE_KEYS = [
  ['GNU.sparse.major', '1'],
  ['GNU.sparse.minor', '0'],
  ['GNU.sparse.name', './f'],
  ['GNU.sparse.realsize', '2000'],
] as const

function sparse(
  map: string,
  stored: string,
  keys: readonly (readonly [string, string])[] = SPARSE_KEYS,
  name = './GNUSparseFile.7/f',
): Buffer {
  return Buffer.concat([rawPax(keys), rawMember({ name }, map.padEnd(Math.ceil(map.length / 512) * 512, '\0') + stored)])
}

describe('what is refused', () => {
  const refused: readonly (readonly [why: string, code: string, archive: Uint8Array])[] = [
    ['nothing at all', 'tar-truncated', Buffer.alloc(0)],
    ['no end marker', 'tar-truncated', file],
    ['half an end marker', 'tar-truncated', Buffer.concat([file, Buffer.alloc(512)])],
    ['one zero block, then a member', 'tar-trailing-data', Buffer.concat([file, Buffer.alloc(512), rawHeader({ name: './g' }), RAW_END])],
    ['an extended header and nothing after it', 'tar-truncated', rawTar(rawPax([['mtime', '5']]))],
    ['content cut short', 'tar-truncated', file.subarray(0, 514)],
    ['padding cut short', 'tar-truncated', file.subarray(0, 1000)],
    ['a header cut short', 'tar-truncated', file.subarray(0, 300)],
    ['a second archive behind the end', 'tar-trailing-data', Buffer.concat([rawTar(file), rawTar(file)])],
    ['one byte behind the end', 'tar-trailing-data', Buffer.concat([rawTar(file), Buffer.from('x')])],
    ['an odd number of zeros behind the end', 'tar-trailing-data', Buffer.concat([rawTar(file), Buffer.alloc(100)])],
    ['megabytes of zeros behind the end', 'tar-trailing-data', Buffer.concat([rawTar(file), Buffer.alloc(2 ** 21)])],
    ['a wrong checksum', 'tar-checksum', rawTar(rawHeader({ checksum: '000001\0 ' }))],
    ['a gzip file', 'tar-format-unknown', Buffer.concat([Buffer.from('1f8b0800', 'hex'), Buffer.alloc(2000)])],
    ['a header of old V7 tar', 'tar-format-unknown', rawTar(rawHeader({ magic: '' }))],
    ['bytes after the end of the name', 'tar-hidden-bytes', rawTar(rawHeader({ name: './f\0secret' }))],
    ['bytes after the end of the header', 'tar-hidden-bytes', rawTar(rawHeader({ tail: 'x' }))],
    ['a prefix where GNU tar has none', 'tar-hidden-bytes', rawTar(rawHeader({ magic: 'ustar  \0', prefix: 'x' }))],
    ['bytes in the padding', 'tar-hidden-bytes', rawTar(rawHeader({ size: rawSize(1) }), Buffer.alloc(512, 1))],
    ['bytes in the padding of an extended header', 'tar-hidden-bytes', rawTar(Buffer.concat([paxWithJunk(), file]))],
    ['a directory with content', 'tar-hidden-bytes', rawTar(rawMember(directory, 'x'))],
    ['a hard link with content', 'tar-hidden-bytes', rawTar(file, rawMember({ name: './g', type: '1', link: './f' }, 'x'))],
    ['a file with a link target', 'tar-hidden-bytes', rawTar(rawHeader({ link: 'x' }))],
    ['a file with a device number', 'tar-hidden-bytes', rawTar(rawHeader({ major: '0000001\0' }))],
    ['a number with a letter', 'tar-number-malformed', rawTar(rawHeader({ uid: '00000x0\0' }))],
    ['a number that goes on after its end', 'tar-number-malformed', rawTar(rawHeader({ uid: '000\x00000\0' }))],
    ['a blank size', 'tar-number-malformed', rawTar(rawHeader({ size: ' '.repeat(12) }))],
    ['a negative size', 'tar-number-malformed', rawTar(rawHeader({ size: '\xff'.repeat(12) }))],
    ['a size beyond all numbers', 'tar-number-malformed', rawTar(rawHeader({ size: `\x80${'\x7f'.repeat(11)}` }))],
    ['a negative owner', 'tar-number-malformed', rawTar(rawHeader({ uid: '\xff'.repeat(8) }))],
    ["a mode that says another type than the header's", 'tar-number-malformed', rawTar(rawHeader({ mode: '0120644\0' }))],
    ['a contiguous file', 'tar-type-unknown', rawTar(rawHeader({ type: '7' }))],
    ['a volume label', 'tar-type-unknown', rawTar(rawHeader({ type: 'V' }))],
    ['an incremental directory', 'tar-type-unknown', rawTar(rawHeader({ type: 'D' }))],
    ['an unknown type that is a property of every object', 'tar-type-unknown', rawTar(rawHeader({ type: '_' }))],
    ['an absolute path', 'tar-path-not-normal', rawTar(rawHeader({ name: '/etc/passwd' }))],
    ['a path that climbs', 'tar-path-not-normal', rawTar(rawHeader({ name: './a/../../b' }))],
    ['a path that ends in ..', 'tar-path-not-normal', rawTar(rawHeader({ name: '..' }))],
    ['a path with ./ twice', 'tar-path-not-normal', rawTar(rawHeader({ name: '././f' }))],
    ['a path with a dot inside', 'tar-path-not-normal', rawTar(rawHeader({ name: 'a/./f' }))],
    ['a path with two slashes', 'tar-path-not-normal', rawTar(rawHeader({ name: 'a//f' }))],
    ['./ and a slash', 'tar-path-not-normal', rawTar(rawHeader({ name: './/f' }))],
    ['a file whose path ends in a slash', 'tar-path-not-normal', rawTar(rawHeader({ name: './f/' }))],
    ['a directory whose path ends in two slashes', 'tar-path-not-normal', rawTar(rawHeader({ ...directory, name: './d//' }))],
    ['no path', 'tar-path-not-normal', rawTar(rawHeader({ name: '' }))],
    ['a root that is a file', 'tar-path-not-normal', rawTar(rawHeader({ name: './' }))],
    ['a path with a NUL in an extended header', 'tar-pax-malformed', rawTar(rawPax([['path', './a\0b']]), file)],
    ['a path longer than the limit', 'tar-path-not-normal', rawTar(rawPax([['path', 'x'.repeat(5000)]]), file)],
    ['the same path twice', 'tar-path-duplicate', rawTar(file, file)],
    ['the same path in two spellings', 'tar-path-duplicate', rawTar(file, rawHeader({ name: 'f' }))],
    ['the same directory twice', 'tar-path-duplicate', rawTar(rawHeader(directory), rawHeader({ ...directory, name: 'd' }))],
    ['a file over a directory', 'tar-path-duplicate', rawTar(rawHeader(directory), rawHeader({ name: 'd' }))],
    ['a member below a file', 'tar-path-under-file', rawTar(file, rawHeader({ name: './f/x' }))],
    ['a member below a symlink', 'tar-path-under-file', rawTar(rawHeader({ type: '2', link: '/etc' }), rawHeader({ name: './f/x' }))],
    ['a file where a directory was needed before', 'tar-path-under-file', rawTar(rawHeader({ name: './f/x/y' }), file)],
    ['a hard link to nothing', 'tar-link-target-missing', rawTar(rawHeader({ type: '1', link: './g' }))],
    ['a hard link to itself', 'tar-link-target-missing', rawTar(rawHeader({ type: '1', link: './f' }))],
    ['a hard link to a later member', 'tar-link-target-missing', rawTar(rawHeader({ name: 'a', type: '1', link: './f' }), file)],
    ['a hard link to a directory', 'tar-link-target-missing', rawTar(rawHeader(directory), rawHeader({ type: '1', link: './d' }))],
    ['a hard link that climbs', 'tar-link-malformed', rawTar(file, rawHeader({ name: 'g', type: '1', link: '../f' }))],
    ['a symlink to nowhere', 'tar-link-malformed', rawTar(rawHeader({ type: '2' }))],
    ['an unknown pax key', 'tar-pax-key-unknown', rawTar(rawPax([['SCHILY.dev', '1']]), file)],
    ['times that mkosi deletes', 'tar-pax-key-unknown', rawTar(rawPax([['atime', '1']]), file)],
    ['a global header', 'tar-pax-key-unknown', rawTar(rawPax([['comment', 'x']], 'g'), file)],
    ['a pax key twice', 'tar-pax-key-duplicate', rawTar(rawPax([['mtime', '1'], ['mtime', '2']]), file)], // biome-ignore format: one a line
    ['two extended headers in a row', 'tar-pax-key-duplicate', rawTar(rawPax([['mtime', '1']]), rawPax([['uid', '2']]), file)],
    ['two long names in a row', 'tar-pax-key-duplicate', rawTar(longName('a\0'), longName('b\0'), file)],
    ['a long name and a pax path', 'tar-pax-key-duplicate', rawTar(longName('a\0'), rawPax([['path', 'b']]), file)],
    ['a long name with bytes after its end', 'tar-pax-malformed', rawTar(longName('a\0b\0'), file)],
    ['a long name without an end', 'tar-pax-malformed', rawTar(longName('abc'), file)],
    ['a pax record without newline', 'tar-pax-malformed', rawTar(rawMember({ type: 'x' }, '9 mtime=5x'), file)],
    ['a pax record with a length of nought', 'tar-pax-malformed', rawTar(rawMember({ type: 'x' }, '0 mtime=5\n'), file)],
    ['a pax record longer than the header', 'tar-pax-malformed', rawTar(rawMember({ type: 'x' }, '99 mtime=5\n'), file)],
    ['a pax record with a padded length', 'tar-pax-malformed', rawTar(rawMember({ type: 'x' }, '011 mtime=5\n'), file)],
    ['a pax record without key', 'tar-pax-malformed', rawTar(rawMember({ type: 'x' }, '5 =5\n'), file)],
    ['an empty pax value', 'tar-pax-malformed', rawTar(rawPax([['mtime', '']]), file)],
    ['a time with an exponent', 'tar-pax-malformed', rawTar(rawPax([['mtime', '1e9']]), file)],
    ['a time finer than nanoseconds', 'tar-pax-malformed', rawTar(rawPax([['mtime', '1.0000000001']]), file)],
    ['a size with a sign', 'tar-pax-malformed', rawTar(rawPax([['size', '+5']]), file)],
    ['an owner above 32 bits', 'tar-number-malformed', rawTar(rawPax([['uid', '4294967296']]), file)],
    ['an extended header above the limit', 'tar-pax-too-large', rawTar(rawHeader({ type: 'x', size: rawSize(2 ** 24) }))],
    ['an attribute of no namespace', 'tar-xattr-name', rawTar(rawPax([['SCHILY.xattr.secret', 'x']]), file)],
    ['an attribute with an escaped name', 'tar-xattr-name', rawTar(rawPax([['SCHILY.xattr.user.a%3Db', 'x']]), file)],
    ['an attribute whose name breaks a line', 'tar-xattr-name', rawTar(rawPax([['SCHILY.xattr.user.a\tb', 'x']]), file)],
    ['a number nought that is not called root', 'tar-owner-name', rawTar(rawHeader({ userName: 'daemon' }))],
    ['one group name for two numbers', 'tar-owner-name', rawTar(owned('a', '0000005\0'), owned('b', '0000006\0'))],
    ['two group names for one number', 'tar-owner-name', rawTar(owned('a', '0000005\0'), owned('b', '0000005\0', 'other'))],
    ['a name of root for another number', 'tar-owner-name', rawTar(rawHeader({ userName: 'root', uid: '0000001\0' }))],
    ["a sparse file in GNU's old format", 'tar-sparse-unsupported', rawTar(rawHeader({ type: 'S', magic: 'ustar  \0' }))],
    ['a sparse file in format 0.1', 'tar-sparse-unsupported', rawTar(sparse('0\n', '', [['GNU.sparse.name', './f']]))],
    ['a sparse file without size', 'tar-sparse-unsupported', rawTar(sparse('0\n', '', SPARSE_KEYS.slice(0, 3)))],
    ['a sparse file under another name', 'tar-sparse-malformed', rawTar(sparse('0\n', '', SPARSE_KEYS, './other'))],
    ['a sparse map that goes back', 'tar-sparse-malformed', rawTar(sparse('2\n100\n1\n50\n1\n', 'ab'))],
    ['a sparse map that overlaps', 'tar-sparse-malformed', rawTar(sparse('2\n100\n10\n105\n10\n', 'a'.repeat(20)))],
    ['a sparse map beyond the file', 'tar-sparse-malformed', rawTar(sparse('1\n1999\n2\n', 'ab'))],
    ['a sparse map that leaves stored bytes out', 'tar-sparse-malformed', rawTar(sparse('1\n0\n1\n', 'ab'))],
    ['a sparse map with bytes after its end', 'tar-sparse-malformed', rawTar(sparse('1\n0\n2\nhidden', 'ab'))],
    ['a sparse map that is no number', 'tar-sparse-malformed', rawTar(sparse('x\n', ''))],
    ['a sparse map without end', 'tar-truncated', rawTar(sparse('99999\n', '')).subarray(0, -1024)],
  ] // biome-ignore format: one a line

  test.each(refused)('%s: %s', async (_why, code, archive) => {
    await expect(collectTar(archive)).rejects.toMatchObject({ code })
    await expect(collectTar(archive, IMAGE_TAR_LIMITS, 100)).rejects.toMatchObject({ code })
  })

  const limited: readonly (readonly [code: string, limits: Partial<TarLimits>])[] = [
    ['tar-entries-limit', { maxEntries: 1 }],
    ['tar-file-size-limit', { maxFileSize: 4 }],
    ['tar-total-size-limit', { maxTotalSize: 9 }],
  ]
  test.each(limited)('more than a limit allows: %s', async (code, limits) => {
    const archive = rawTar(file, rawMember({ name: './g' }, 'hello'))
    await expect(collectTar(archive, { ...IMAGE_TAR_LIMITS, ...limits })).rejects.toMatchObject({ code })
  })

  const kept: readonly (readonly [what: string, size: number, archive: Uint8Array])[] = [
    ['paths', 2 * (1 + 64), rawTar(file, rawMember({ name: './g' }))],
    [
      'folders that are only implied, once',
      5 + 64 + (1 + 64) + (3 + 64) + (5 + 64),
      rawTar(rawMember({ name: 'a/b/f' }), rawMember({ name: 'a/b/g' })),
    ],
    ['folders once, implied first', 3 + 64 + 1 + 64, rawTar(rawMember({ name: 'd/f' }), rawHeader(directory))],
    ['targets of links', 1 + 64 + 7, rawTar(rawHeader({ type: '2', link: 'a/b/c/d' }))],
    ['owners', 1 + 64 + 6, rawTar(rawHeader({ uid: '0000007\0', userName: 'usr', groupName: 'grp', gid: '0000007\0' }))],
    ['attributes', 1 + 64 + 'user.a'.length + 4 + 64, rawTar(rawPax([['SCHILY.xattr.user.a', 'hi']]), file)],
    ['maps of sparse files', 1 + 64 + 2 * 64, rawTar(sparse('2\n0\n1\n100\n1\n', 'ab'))],
  ]
  test.each(kept)('more to keep in memory than a limit allows: %s', async (_what, size, archive) => {
    await expect(collectTar(archive, { ...IMAGE_TAR_LIMITS, maxIndexSize: size - 1 })).rejects.toMatchObject({
      code: 'tar-index-size-limit',
    })
    await expect(collectTar(archive, { ...IMAGE_TAR_LIMITS, maxIndexSize: size })).resolves.not.toHaveLength(0)
  })

  test('deep paths of nothing but folders, long before the members are too many', async () => {
    const deep = (index: number): Uint8Array => Buffer.concat([rawPax([['path', `${index}/${'d/'.repeat(2000)}f`]]), file])
    const archive = rawTar(...Array.from({ length: 100 }, (_, index) => deep(index)))
    await expect(collectTar(archive)).rejects.toMatchObject({ code: 'tar-index-size-limit' })
  })

  test('a sparse file larger than a limit, before its zeros are handed out', async () => {
    const keys = SPARSE_KEYS.map(([key, value]) => [key, key.endsWith('realsize') ? '999999999999999' : value] as const)
    await expect(collectTar(rawTar(sparse('0\n', '', keys)))).rejects.toMatchObject({ code: 'tar-file-size-limit' })
  })
})

describe('what is read', () => {
  test('a file, whatever pieces the stream comes in', async () => {
    const archive = rawTar(rawHeader(directory), rawMember({ name: './d/f' }, 'x'.repeat(1300)), rawMember({ name: 'g' }))
    for (const piece of [1, 7, 511, 512, 513, 4096]) {
      const read = await collectTar(archive, IMAGE_TAR_LIMITS, piece)
      expect(read.map(({ member, content }) => [escapeBytes(member.path), member.type, content.length])).toEqual([
        ['d', 'directory', 0],
        ['d/f', 'file', 1300],
        ['g', 'file', 0],
      ])
    }
  })

  test('all facts of a member', async () => {
    const pax = rawPax([
      ['mtime', '1700000000.250'],
      ['uid', '4294967295'],
      ['SCHILY.xattr.user.b', 'a\n=\0'],
      ['SCHILY.xattr.security.capability', '\x01\xff'],
      ['SCHILY.acl.access', 'user::rw-'],
    ])
    const [read] = await collectTar(rawTar(pax, rawMember({ mode: '0104755\0' }, 'hello')))
    expect(read?.content.toString()).toBe('hello')
    expect(read?.member).toEqual({
      path: Buffer.from('f'),
      type: 'file',
      mode: 0o4755,
      uid: 0xffff_ffff,
      gid: 0,
      mtime: '1700000000.25',
      size: 5,
      linkPath: null,
      device: null,
      xattrs: [
        ['SCHILY.acl.access', Buffer.from('user::rw-').toString('hex')],
        ['security.capability', '01ff'],
        ['user.b', '610a3d00'],
      ],
      headerOffset: 0,
      dataOffset: 1536,
    })
  })

  test('a sparse file at full size, whatever process wrote it', async () => {
    for (const pid of ['1', '4194304']) {
      const archive = rawTar(sparse('3\n10\n2\n1500\n3\n2000\n0\n', 'abcde', SPARSE_KEYS, `./GNUSparseFile.${pid}/f`))
      const [read] = await collectTar(archive)
      const full = Buffer.alloc(2000)
      full.write('ab', 10)
      full.write('cde', 1500)
      expect(read?.content.equals(full)).toBe(true)
      expect(read?.member.size).toBe(2000)
    }
  })

  test('names of GNU tar, base-256 numbers and a POSIX prefix', async () => {
    const long = 'n'.repeat(150)
    const archive = rawTar(
      longName(`./${long}\0`),
      rawMember(
        { name: `./${'n'.repeat(98)}`, magic: 'ustar  \0', mtime: '\x80\0\0\0\0\0\0\x01\0\0\0\0', uid: '\x80\0\0\0\0\x2d\xc6\xc0' },
        'x',
      ),
      rawHeader({ name: 'f', prefix: 'some/folder' }),
      rawMember({ name: '././@LongLink', type: 'K', magic: 'ustar  \0' }, `${'t'.repeat(200)}\0`),
      rawHeader({ name: 'link', type: '2', link: 't'.repeat(100), magic: 'ustar  \0', mtime: '\xff'.repeat(12) }),
    )
    const read = await collectTar(archive)
    expect(read.map(({ member }) => [escapeBytes(member.path), member.mtime, member.uid, member.linkPath?.length])).toEqual([
      [long, '4294967296', 3000000, undefined],
      ['some/folder/f', '1700000000', 0, undefined],
      ['link', '-1', 0, 200],
    ])
  })

  test('what a source archive may say and an image may not', async () => {
    const archive = rawTar(
      rawPax([['comment', 'x']], 'g'),
      rawPax([['atime', '5']]),
      rawMember({ userName: 'alice', groupName: 'staff' }, 'x'),
    )
    expect(await collectTar(archive, SOURCE_TAR_LIMITS)).toHaveLength(1)
  })

  test('the next member, where a body was left or read in part', async () => {
    const archive = rawTar(
      rawMember({ name: 'a' }, 'x'.repeat(5000)),
      rawMember({ name: 'b' }, 'y'.repeat(5000)),
      rawMember({ name: 'c' }, 'z'),
    )
    const names: string[] = []
    for await (const member of readTar(inPieces(archive, 600), IMAGE_TAR_LIMITS)) {
      names.push(escapeBytes(member.path))
      if (names.length === 2) for await (const _ of member.body) break
    }
    expect(names).toEqual(['a', 'b', 'c'])
  })

  test('no body after its time', async () => {
    const archive = rawTar(rawMember({ name: 'a' }, 'x'), rawMember({ name: 'b' }, 'y'))
    const kept: AsyncIterable<Uint8Array>[] = []
    for await (const member of readTar(inPieces(archive), IMAGE_TAR_LIMITS)) kept.push(member.body)
    await expect(Array.fromAsync(kept[0] ?? [])).rejects.toThrow('before the next one')
  })

  test('closes the stream when the reader leaves early', async () => {
    let closed = false
    async function* source(): AsyncGenerator<Uint8Array, void, void> {
      try {
        yield rawTar(file)
        yield Buffer.alloc(512)
      } finally {
        closed = true
      }
    }
    for await (const _ of readTar(source(), IMAGE_TAR_LIMITS)) break
    expect(closed).toBe(true)
  })
})

test('damage of any kind ends in a coded failure or in a tree, never in anything else', async () => {
  const archive = rawTar(
    rawHeader(directory),
    rawPax([['SCHILY.xattr.user.a', 'x']]),
    rawMember({ name: './d/f' }, 'hello'),
    rawHeader({ name: './d/g', type: '1', link: './d/f' }),
    sparse('1\n0\n2\n', 'ab'),
  )
  const damage = fc.array(fc.record({ at: fc.nat(archive.length - 1), byte: fc.nat(255) }), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(damage, fc.boolean(), async (places, mendChecksums) => {
      const copy = Buffer.from(archive)
      for (const { at, byte } of places) {
        copy[at] = byte
        const block = copy.subarray(at - (at % 512), at - (at % 512) + 512)
        if (mendChecksums && block.subarray(257, 262).toString() === 'ustar') mend(block)
      }
      await collectTar(copy).catch((error: unknown) =>
        expect(error).toMatchObject({ name: 'Failure', code: expect.stringMatching(/^tar-/) }),
      )
    }),
    { numRuns: 1000 },
  )
})

function mend(block: Buffer): void {
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
}

function owned(name: string, gid: string, groupName = 'adm'): Buffer {
  return rawHeader({ name, gid, groupName })
}

function longName(content: string): Buffer {
  return rawMember({ name: '././@LongLink', type: 'L', magic: 'ustar  \0' }, content)
}

function paxWithJunk(): Buffer {
  const pax = rawPax([['mtime', '5']])
  pax[pax.length - 1] = 1
  return pax
}
