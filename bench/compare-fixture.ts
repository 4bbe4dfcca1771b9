import { closeSync, openSync, writeSync } from 'node:fs'
import { encodeTarHeader, endPadding } from '../verifier/tar/encode.ts'
import type { TarEntry } from '../verifier/tar/member.ts'

const DIRECTORIES = 900

/** Small steady generator (mulberry32): the same seed makes the same tree everywhere. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/**
 * Writes a tar of about `size` bytes shaped like a Debian root file system: many small files and few large ones, directories, symbolic
 * links, in the order in which a disk would list them, not in canonical order.
 */
export function writeFixture(path: string, o: { size: number; files: number; seed: number }): void {
  const next = random(o.seed)
  const weights = Array.from({ length: o.files }, () => Math.exp(4 * gauss(next)))
  const scale = o.size / weights.reduce((sum, weight) => sum + weight, 0)
  const pool = Buffer.alloc(4 * 1024 * 1024)
  for (let at = 0; at < pool.length; at += 4) pool.writeUInt32LE(Math.floor(next() * 2 ** 32), at)
  const fd = openSync(path, 'w')
  let size = 0
  const put = (bytes: Uint8Array): void => {
    writeSync(fd, bytes)
    size += bytes.length
  }
  const add = (path: string, fields: Partial<TarEntry>, length = 0): void => {
    put(encodeTarHeader({ ...plain(path), size: length, ...fields }))
    for (let left = length; left > 0; left -= pool.length) put(pool.subarray(0, Math.min(left, pool.length)))
    put(Buffer.alloc((512 - (length % 512)) % 512))
  }
  add('.', { type: 'directory', mode: 0o755 })
  const directories = ['usr', 'etc', 'var']
  for (const directory of directories) add(directory, { type: 'directory', mode: 0o755 })
  for (let index = 0; index < DIRECTORIES; index += 1) {
    const path = `${directories[Math.floor(next() * Math.min(directories.length, 200))] ?? 'usr'}/d${Math.floor(next() * 1e9).toString(36)}`
    directories.push(path)
    add(path, { type: 'directory', mode: 0o755 })
  }
  weights.forEach((weight, index) => {
    const directory = directories[Math.floor(next() * directories.length)] ?? 'usr'
    const name = `${directory}/f${Math.floor(next() * 1e9).toString(36)}-${index}`
    add(name, {}, Math.floor(weight * scale))
    if (index % 10 === 0) add(`${directory}/l${index}`, { type: 'symlink', mode: 0o777, linkPath: Buffer.from(`../${name}`) })
  })
  put(Buffer.alloc(endPadding(size)))
  closeSync(fd)
}

function plain(path: string): TarEntry {
  const owner = { uid: 0, gid: 0, mtime: '1700000000' }
  return { path: Buffer.from(path), type: 'file', mode: 0o644, ...owner, size: 0, linkPath: null, device: null, xattrs: [] }
}

function gauss(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()) * 0.5
}
