import { chmod, chown, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { execa } from 'execa'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { decodeEntry, TREE_MANIFEST_HEADER } from '../model/tree-manifest.ts'
import { collectTar } from '../tar/testing/collect.ts'
import { rawHeader, rawMember, rawPax, rawTar } from '../tar/testing/raw-tar.ts'
import { canonicaliseTar } from './canonicalise.ts'
import { canonicalBytes, canonicalFile, MemoryBlobs, scratchFolder } from './testing/canonical.ts'
import { asTar135, CANONICAL_TAR, gnuTar, MKOSI_TAR, makeTree } from './testing/real-tree.ts'

// Each run starts a thread, and other tests share the processor.
vi.setConfig({ testTimeout: 60_000 })

let scratch: Awaited<ReturnType<typeof scratchFolder>>
let tree = ''
let canonical: Buffer
const isRoot = process.getuid?.() === 0

beforeAll(async () => {
  scratch = await scratchFolder()
  tree = scratch.at('tree')
  await makeTree(tree)
  if (isRoot) {
    await chown(`${tree}/etc/hostname`, 3000000, 4000000)
    await chmod(`${tree}/usr/bin/perl`, 0o6755)
  }
  await gnuTar(CANONICAL_TAR, tree, scratch.at('gnu.tar'))
  canonical = asTar135(await readFile(scratch.at('gnu.tar')))
  await writeFile(scratch.at('gnu.tar'), canonical)
})
afterAll(() => scratch[Symbol.asyncDispose]())

describe('a real tree, packed by GNU tar', () => {
  test('sorted by name, is canonical as it is: the form can be made with nothing of ours', async () => {
    const facts = await canonicalFile(scratch.at('gnu.tar'), scratch.at('again.tar'))
    expect(facts.transformations).toEqual([])
    expect(facts.canonical).toEqual(facts.written)
    expect((await readFile(scratch.at('again.tar'))).equals(canonical)).toBe(true)
  })

  const ways: readonly (readonly [how: string, options: readonly string[], transformations: readonly string[]])[] = [
    ['as mkosi does, on this disk', MKOSI_TAR, ['tar-encoding']],
    ['sorted by inode', [...CANONICAL_TAR.slice(0, -1), '--sort=inode'], []],
    ['by whatever version of tar this is', CANONICAL_TAR, []],
    ['in GNU format with names', ['--create', '--format=gnu', '--sort=name'], ['tar-encoding']],
    ['with owner names', CANONICAL_TAR.filter((option) => option !== '--numeric-owner'), ['tar-encoding']],
    ['sparse', [...CANONICAL_TAR, '--sparse'], ['tar-encoding']],
    ['in other records', [...CANONICAL_TAR, '--blocking-factor=63'], ['tar-encoding']],
    ['with times in extended headers', [...CANONICAL_TAR, '--pax-option=exthdr.name=%d/PaxHeaders.%p/%f'], ['tar-encoding']],
  ]
  test.each(ways)('%s, comes to the same bytes', async (_how, options, expected) => {
    await gnuTar(options, tree, scratch.at('way.tar'))
    const facts = await canonicalFile(scratch.at('way.tar'), scratch.at('way-out.tar'))
    expect((await readFile(scratch.at('way-out.tar'))).equals(canonical)).toBe(true)
    for (const transformation of expected) expect(facts.transformations).toContain(transformation)
  })

  test('in any order, with any name of a file as its leader, comes to the same bytes', async () => {
    const listed = (await execa('find', ['.', '-mindepth', '1', '-print0'], { cwd: tree })).stdout.split('\0').filter(Boolean)
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(['.', ...listed], { minLength: listed.length + 1 }), async (order) => {
        await writeFile(scratch.at('order'), order.join('\0'))
        await rm(scratch.at('order.tar'), { force: true })
        const options = [...MKOSI_TAR, '--directory', tree, '--no-recursion', '--null', '--files-from', scratch.at('order')]
        await execa('tar', [...options, '--file', scratch.at('order.tar')])
        const facts = await canonicalBytes(await readFile(scratch.at('order.tar')))
        for (const transformation of facts.transformations) seen.add(transformation)
        expect(facts.bytes.equals(canonical)).toBe(true)
      }),
      { numRuns: 25 },
    )
    expect([...seen].toSorted()).toEqual(['hard-link-leader', 'tar-encoding', 'tar-member-order'])
  })

  test('has a manifest with one line for every name, in canonical order', async () => {
    const { manifest, entries } = await canonicalFile(scratch.at('gnu.tar'), null)
    const [first, ...lines] = manifest.trimEnd().split('\n')
    expect(first).toBe(TREE_MANIFEST_HEADER)
    expect(lines).toHaveLength(entries)
    const decoded = lines.map(decodeEntry)
    const paths = decoded.map(({ path }) => path)
    expect(paths.slice(0, 4)).toEqual(['.', 'etc', 'etc/alternatives', 'etc/alternatives/perl'])
    expect(paths.indexOf('usr-local')).toBeGreaterThan(paths.indexOf('usr/share'))
    const perls = decoded.filter(({ path }) => /perl/.test(path) && !path.startsWith('etc'))
    expect(perls.map(({ path, type, link, size }) => [path, type, link, size])).toEqual([
      ['usr/a-perl', 'f', null, 1200],
      ['usr/bin/perl', 'h', 'usr/a-perl', 1200],
      ['usr/bin/perl5.36.0', 'h', 'usr/a-perl', 1200],
      ['zperl', 'h', 'usr/a-perl', 1200],
    ])
    const sums = (await execa('sha256sum', ['--', 'var/sparse', 'usr/bin/perl'], { cwd: tree })).stdout
      .split('\n')
      .map((line) => line.slice(0, 64))
    expect(['var/sparse', 'usr/bin/perl'].map((path) => decoded.find((entry) => entry.path === path)?.sha256)).toEqual(sums)
  })

  test.runIf(isRoot)('unpacks to the same tree', async () => {
    await mkdir(scratch.at('unpacked'))
    await execa('tar', [
      '--extract',
      '--file',
      scratch.at('gnu.tar'),
      '--directory',
      scratch.at('unpacked'),
      '--same-owner',
      '--same-permissions',
    ])
    await gnuTar(CANONICAL_TAR, scratch.at('unpacked'), scratch.at('repacked.tar'))
    expect(asTar135(await readFile(scratch.at('repacked.tar'))).equals(canonical)).toBe(true)
  })
})

describe('any tree', () => {
  const name = fc.stringMatching(/^[a-c!.-]{1,3}$/).filter((text) => text !== '.' && text !== '..')
  const member = fc.record({
    path: fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
    mode: fc.nat(0o7777),
    content: fc.uint8Array({ maxLength: 1100 }),
    xattrs: fc.uniqueArray(fc.record({ name: fc.constantFrom('user.a', 'security.b', 'user.c'), value: fc.uint8Array({ maxLength: 9 }) }), {
      selector: (xattr) => xattr.name,
    }),
    mtime: fc.oneof(fc.nat(), fc.constantFrom(0, 0o77777777777, 0o100000000000)),
  })
  /** Names without one that lies below another. */
  const files = fc
    .uniqueArray(member, { selector: ({ path }) => path, maxLength: 12 })
    .map((all) => all.filter(({ path }) => !all.some((other) => path.startsWith(`${other.path}/`))))

  test('gives canonical bytes that are canonical, whatever the order of members and attributes', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.func(fc.nat()), async (members, rank) => {
        const pack = (list: typeof members, turn: (xattrs: (typeof members)[0]['xattrs']) => typeof xattrs): Buffer =>
          rawTar(
            ...list.flatMap(({ path, mode, content, xattrs, mtime }) => [
              rawPax([
                ...turn(xattrs).map((xattr) => [`SCHILY.xattr.${xattr.name}`, Buffer.from(xattr.value).toString('latin1')] as const),
                ['mtime', String(mtime)],
              ]),
              rawMember({ name: path, mode: `${mode.toString(8).padStart(7, '0')}\0` }, Buffer.from(content).toString('latin1')),
            ]),
          )
        const one = await canonicalBytes(pack(members, (xattrs) => xattrs))
        const shuffled = members.toSorted((a, b) => rank(a.path) - rank(b.path))
        const two = await canonicalBytes(pack(shuffled, (xattrs) => xattrs.toReversed()))
        expect(two.canonical).toEqual(one.canonical)
        expect(two.manifest).toBe(one.manifest)
        const again = await canonicalBytes(one.bytes)
        expect(again.transformations).toEqual([])
        expect(again.bytes.equals(one.bytes)).toBe(true)
        const read = await collectTar(one.bytes)
        expect(read.map(({ content }) => content.toString('hex')).toSorted()).toEqual(
          members.map(({ content }) => Buffer.from(content).toString('hex')).toSorted(),
        )
      }),
      { numRuns: 100 },
    )
  })
})

describe('one archive', () => {
  test('larger than the buffers comes out whole', async () => {
    const big = Buffer.alloc(3 * 1024 * 1024 + 17)
    for (let at = 0; at < big.length; at += 4) big.writeUInt32LE(at % 1000003, Math.min(at, big.length - 4))
    const archive = rawTar(
      rawMember({ name: 'z' }, big.toString('latin1')),
      rawMember({ name: 'a' }, 'x'),
      rawMember({ name: 'b' }, big.toString('latin1')),
    )
    const facts = await canonicalBytes(archive)
    expect(facts.transformations).toEqual(['tar-member-order', 'tar-encoding'])
    const read = await collectTar(facts.bytes)
    expect(read.map(({ content }) => content.length)).toEqual([1, big.length, big.length])
    expect(read.every(({ content }) => content.length === 1 || content.equals(big))).toBe(true)
  })

  test('loses attributes that the disk adds, and says so', async () => {
    const plain = await canonicalBytes(rawTar(rawPax([['SCHILY.xattr.user.a', 'x']]), rawMember({ name: 'f' })))
    const xfs = await canonicalBytes(
      rawTar(
        rawPax([
          ['SCHILY.xattr.trusted.SGI_ACL_FILE', 'acl'],
          ['SCHILY.xattr.user.a', 'x'],
        ]),
        rawMember({ name: 'f' }),
      ),
    )
    expect(xfs.canonical).toEqual(plain.canonical)
    expect(xfs.manifest).not.toContain('SGI_ACL')
    expect(xfs.transformations).toContain('tar-encoding')
  })

  test.each([
    ['mode', { mode: '0000600\0' }],
    ['owner', { uid: '0000001\0' }],
    ['group', { gid: '0000001\0' }],
    ['time', { mtime: '14524770401\0' }],
  ])('whose hard link states another %s is refused', async (_what, fields) => {
    const archive = rawTar(rawMember({ name: 'f' }, 'x'), rawHeader({ name: 'g', type: '1', link: 'f', ...fields }))
    await expect(canonicalBytes(archive)).rejects.toMatchObject({ code: 'tar-link-metadata' })
  })

  test('whose hard link states other attributes is refused', async () => {
    const archive = rawTar(
      rawMember({ name: 'f' }, 'x'),
      rawPax([['SCHILY.xattr.user.a', 'x']]),
      rawHeader({ name: 'g', type: '1', link: 'f' }),
    )
    await expect(canonicalBytes(archive)).rejects.toMatchObject({ code: 'tar-link-metadata' })
  })

  test('whose hard links form a chain has one leader', async () => {
    const chain = rawTar(
      rawMember({ name: 'm' }, 'x'),
      rawHeader({ name: 'z', type: '1', link: 'm' }),
      rawHeader({ name: 'a', type: '1', link: 'z' }),
    )
    const facts = await canonicalBytes(chain)
    const read = await collectTar(facts.bytes)
    expect(read.map(({ member }) => [String(member.path), member.type, member.linkPath && String(member.linkPath)])).toEqual([
      ['a', 'file', null],
      ['m', 'hardlink', 'a'],
      ['z', 'hardlink', 'a'],
    ])
  })

  test('that is empty is an empty tree', async () => {
    const facts = await canonicalBytes(rawTar())
    expect(facts).toMatchObject({ entries: 0, manifest: `${TREE_MANIFEST_HEADER}\n`, canonical: { size: 10240 } })
  })
})

describe('an input that may be taken', () => {
  test('becomes the output where it is canonical, and is left where it is not', async () => {
    const [input, output, again] = [scratch.at('unordered.tar'), scratch.at('taken.tar'), scratch.at('repeated.tar')]
    await writeFile(input, rawTar(rawMember({ name: 'b' }), rawMember({ name: 'a' })))
    const blobs = new MemoryBlobs()
    const first = await canonicaliseTar({ input, output, taken: true, blobs })
    expect(first.transformations).not.toEqual([])
    await expect(stat(input)).resolves.toMatchObject({ size: first.written.size })
    const { ino } = await stat(output)
    const second = await canonicaliseTar({ input: output, output: again, taken: true, blobs })
    expect(second).toEqual({ ...first, written: first.canonical, transformations: [] })
    await expect(stat(output)).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(stat(again)).resolves.toMatchObject({ ino, size: first.canonical.size })
  })
})

describe('a run that fails', () => {
  test('leaves no output and no blob', async () => {
    await writeFile(scratch.at('bad.tar'), rawTar(rawMember({ name: '/f' })))
    const blobs = new MemoryBlobs()
    const run = canonicaliseTar({ input: scratch.at('bad.tar'), output: scratch.at('bad-out.tar'), blobs })
    await expect(run).rejects.toMatchObject({ code: 'tar-path-not-normal', data: { path: '/f' } })
    await expect(readFile(scratch.at('bad-out.tar'))).rejects.toMatchObject({ code: 'ENOENT' })
    expect((await readdir(scratch.at('.'))).filter((name) => name.endsWith('.part'))).toEqual([])
    expect(blobs.held.size).toBe(0)
  })

  test('names a missing file as a failure of the machine', async () => {
    const run = canonicaliseTar({ input: scratch.at('missing.tar'), output: null, blobs: new MemoryBlobs() })
    await expect(run).rejects.toMatchObject({ code: 'canonical-io', audience: 'operator', data: { errno: 'ENOENT' } })
  })

  test('ends with the reason of its signal', async () => {
    const controller = new AbortController()
    const blobs = new MemoryBlobs()
    const run = canonicaliseTar({ input: scratch.at('gnu.tar'), output: scratch.at('late.tar'), blobs, signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(run).rejects.toThrow('enough')
    await expect(readFile(scratch.at('late.tar'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
