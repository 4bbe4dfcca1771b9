import { paddingAfter, ZEROS } from './bytes.ts'
import { encodeTarHeader, endPadding } from './encode.ts'

/** A file as archives of ours hold it: readable by all, of nobody, of no time. */
export type PlainFile = { readonly path: string; readonly size: number; readonly bytes: AsyncIterable<Uint8Array> }

/** The one header of a plain file; `path` is ASCII. */
export function plainHeader({ path, size }: Pick<PlainFile, 'path' | 'size'>): Uint8Array {
  return encodeTarHeader({
    path: Buffer.from(path, 'latin1'),
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: '0',
    size,
    linkPath: null,
    device: null,
    xattrs: [],
  })
}

/** A plain file whose content is at hand. */
export function inlineFile(path: string, content: Uint8Array): PlainFile {
  return { path, size: content.length, bytes: once(content) }
}

/** An archive of plain files: equal files in equal order give equal bytes. Rejects where a file has not the size that it was said to have. */
export async function* writeTar(files: AsyncIterable<PlainFile> | Iterable<PlainFile>): AsyncGenerator<Uint8Array, void, void> {
  let size = 0
  for await (const file of files) {
    const header = plainHeader(file)
    yield header
    let written = 0
    for await (const chunk of file.bytes) {
      written += chunk.length
      yield chunk
    }
    if (written !== file.size) throw new Error(`a file has ${written} bytes where its description says ${file.size}`)
    const padding = paddingAfter(file.size)
    yield ZEROS.subarray(0, padding)
    size += header.length + file.size + padding
  }
  yield ZEROS.subarray(0, endPadding(size))
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes
}
