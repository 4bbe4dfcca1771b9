import { paddingAfter } from '../../tar/bytes.ts'
import { encodeTarHeader, endPadding } from '../../tar/encode.ts'
import type { TarEntry } from '../../tar/member.ts'

export type Member = Partial<Omit<TarEntry, 'path' | 'linkPath'>> & {
  readonly path: string
  readonly link?: string
  readonly body?: string
}

/** One member as an attacker may write it: nothing about it is checked. Names are one character a byte. */
export function member(m: Member): Buffer {
  const { path, link, body = '', ...facts } = m
  const header = encodeTarHeader({
    type: 'file',
    mode: 0o644,
    uid: 1000,
    gid: 1000,
    mtime: '1700000000',
    size: body.length,
    device: null,
    xattrs: [],
    ...facts,
    path: Buffer.from(path, 'latin1'),
    linkPath: link === undefined ? null : Buffer.from(link, 'latin1'),
  })
  return Buffer.concat([header, Buffer.from(body, 'latin1'), Buffer.alloc(paddingAfter(body.length))])
}

export function tar(...members: (Member | Buffer)[]): Buffer {
  const bytes = Buffer.concat(members.map((one) => (Buffer.isBuffer(one) ? one : member(one))))
  return Buffer.concat([bytes, Buffer.alloc(endPadding(bytes.length))])
}
