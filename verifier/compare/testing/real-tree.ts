import { link, lutimes, mkdir, symlink, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'

/** Debian's tar, as mkosi calls it. */
export const MKOSI_TAR: readonly string[] = [
  '--create',
  '--acls',
  '--selinux',
  '--xattrs',
  '--pax-option=delete=atime,delete=ctime,delete=mtime',
  '--sparse',
  '--force-local',
]

/** What docs/canonical-form.md tells everybody to run. */
export const CANONICAL_TAR: readonly string[] = [
  '--create',
  '--format=pax',
  '--numeric-owner',
  '--acls',
  '--selinux',
  '--xattrs',
  '--pax-option=delete=atime,delete=ctime',
  '--sort=name',
]

/** Tars a folder with the system's GNU tar. */
export async function gnuTar(options: readonly string[], tree: string, output: string, members: readonly string[] = ['.']): Promise<void> {
  await execa('tar', [...options, '--file', output, '--directory', tree, '--', ...members])
}

/**
 * What GNU tar 1.35 would have written: 1.34, which Debian 12 has, writes zeros as the device number of members that are no device.
 * Archives of 1.35 stay as they are.
 */
export function asTar135(archive: Uint8Array): Buffer {
  const bytes = Buffer.from(archive)
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const header = bytes.subarray(at, at + 512)
    const size = Number.parseInt(header.toString('latin1', 124, 135), 8)
    if (!'34'.includes(header.toString('latin1', 156, 157))) header.fill(0, 329, 345)
    header.fill(' ', 148, 156)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
    at += 512 + Math.ceil(size / 512) * 512
  }
  return bytes
}

/** A small root file system with what makes tars differ: order, hard links, long and odd names, holes, all kinds of small sizes. */
export async function makeTree(root: string): Promise<void> {
  const long = 'a-name-that-is-quite-long-'.repeat(4)
  await mkdir(root)
  for (const dir of ['usr', 'usr/bin', 'usr-local', 'usr/share', `usr/share/${long}`, 'etc', 'etc/alternatives', 'var', 'var/empty'])
    await mkdir(path.join(root, dir), { mode: 0o755 })
  const write = (name: string, content: string | Uint8Array, mode = 0o644): Promise<void> =>
    writeFile(path.join(root, name), content, { mode })
  await write('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n')
  await write('etc/hostname', '')
  await write('usr/bin/perl', '#!/bin/true\n'.repeat(100), 0o755)
  await link(path.join(root, 'usr/bin/perl'), path.join(root, 'usr/bin/perl5.36.0'))
  await link(path.join(root, 'usr/bin/perl'), path.join(root, 'usr/a-perl'))
  await link(path.join(root, 'usr/bin/perl'), path.join(root, 'zperl'))
  await symlink('../usr/bin/perl', path.join(root, 'etc/alternatives/perl'))
  await link(path.join(root, 'etc/alternatives/perl'), path.join(root, 'etc/alternatives/perl-again'))
  await symlink(`/usr/share/${'deep/'.repeat(30)}`, path.join(root, 'etc/far'))
  await write(`usr/share/${long}/${long}`, 'long')
  await link(path.join(root, `usr/share/${long}/${long}`), path.join(root, 'usr/share/link-to-long'))
  await write(`usr/share/${'x'.repeat(88)}`, 'exactly a hundred bytes with ./')
  await write(`usr/share/${'y'.repeat(89)}`, 'one more')
  await write('usr/share/näme ünd \\ - leer', 'utf-8')
  await write('usr/share/new\nline', 'x')
  for (const size of [1, 511, 512, 513, 10240]) await write(`var/size-${size}`, Buffer.alloc(size, size % 251))
  await write('var/sparse', 'begin')
  await truncate(path.join(root, 'var/sparse'), 300_000)
  await write('var/hole', '')
  await truncate(path.join(root, 'var/hole'), 100_000)
  await execa('mkfifo', ['--', path.join(root, 'var/fifo')])
  // Only root may make devices: a run without it covers one kind of entry less.
  if (process.getuid?.() === 0) await execa('mknod', ['--', path.join(root, 'var/null'), 'c', '1', '3'])
  await execa('find', [root, '-exec', 'touch', '--no-dereference', '--date=@1700000000', '--', '{}', '+'])
  await lutimes(path.join(root, 'etc/far'), 1600000000, 1600000000)
}
