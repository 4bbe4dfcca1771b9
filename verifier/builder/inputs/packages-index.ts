import { spawn } from 'node:child_process'
import { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { Failure } from '../../model/failure.ts'

export type IndexedPackage = {
  readonly path: string
  readonly name: string
  readonly version: string
  readonly architecture: string
  readonly sha256: string
}

/** More than the largest index of any archive has, several times over. */
const MAX_INDEX = 256 * 1024 ** 2
/** Characters of one stanza; what comes before its end is searched again with every piece. */
const MAX_STANZA = 1 << 20

/**
 * Finds the stanzas of the wanted paths in a `Packages` file, in one pass and without keeping the rest. The compression is that of the
 * file's name. Undefined where the file is none, or is too large. Fails with `xz-missing`: without the program, names and versions in a
 * lock would depend on the machine that recorded it.
 */
export async function packagesIn(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
  wanted: ReadonlySet<string>,
): Promise<readonly IndexedPackage[] | undefined> {
  const plain = decompress(bytes, name)
  if (plain === undefined) return undefined
  const found: IndexedPackage[] = []
  let rest = ''
  let size = 0
  try {
    for await (const chunk of plain) {
      size += chunk.length
      if (size > MAX_INDEX) return undefined
      // One byte a character: everything that is looked at is ASCII, and a character cut in two stays as it is.
      const text = rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1')
      const end = text.lastIndexOf('\n\n')
      if (end >= 0) collect(text.slice(0, end), wanted, found)
      // An index names a file once; one that does so over and over is there to be kept.
      if (found.length > 2 * wanted.size) return undefined
      rest = end >= 0 ? text.slice(end + 2) : text
      if (rest.length > MAX_STANZA) return undefined
    }
  } catch (error) {
    if (error instanceof Failure) throw error
    return undefined
  }
  collect(rest, wanted, found)
  return found
}

function collect(text: string, wanted: ReadonlySet<string>, found: IndexedPackage[]): void {
  for (const stanza of text.split('\n\n')) {
    const path = field(stanza, 'Filename')
    if (path === undefined || !wanted.has(path)) continue
    const [name, version, architecture, sha256] = ['Package', 'Version', 'Architecture', 'SHA256'].map((key) => field(stanza, key))
    if (name !== undefined && version !== undefined && architecture !== undefined && sha256 !== undefined)
      found.push({ path, name, version, architecture, sha256 })
  }
}

function field(stanza: string, name: string): string | undefined {
  const start = stanza.startsWith(`${name}: `) ? 0 : stanza.indexOf(`\n${name}: `) + 1
  if (start === 0 && !stanza.startsWith(`${name}: `)) return undefined
  const end = stanza.indexOf('\n', start)
  return stanza.slice(start + name.length + 2, end < 0 ? undefined : end).trim()
}

function decompress(bytes: AsyncIterable<Uint8Array>, name: string): AsyncIterable<Uint8Array> | undefined {
  const extension = /\.([a-z0-9]+)$/.exec(name)?.[1]
  switch (extension) {
    case undefined:
      return bytes
    case 'gz':
      return Readable.from(bytes).compose(createGunzip())
    case 'zst':
      return Readable.from(bytes).compose(createZstdDecompress())
    case 'xz':
      return unxz(bytes)
    default:
      return undefined
  }
}

async function* unxz(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const child = spawn('xz', ['--decompress', '--stdout', '--memlimit-decompress=256MiB'], { stdio: ['pipe', 'pipe', 'ignore'] })
  const exit = new Promise<number | Error | null>((resolve) => {
    child.once('error', resolve)
    child.once('close', resolve)
  })
  const input = Readable.from(bytes)
  input.on('error', () => child.kill())
  child.stdin.on('error', () => input.destroy())
  input.pipe(child.stdin)
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>
    const ended = await exit
    if (ended instanceof Error)
      throw new Failure({ code: 'xz-missing', message: 'the program xz cannot be run', hint: 'install xz-utils', cause: ended })
    if (ended !== 0) throw new Error('xz failed')
  } finally {
    child.kill()
    input.destroy()
  }
}
