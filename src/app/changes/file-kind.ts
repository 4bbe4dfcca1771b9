import { open, stat } from 'node:fs/promises'
import { INDEX_NAME } from '../../../attestations/proof/proof-index.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { shownName } from '../../../verifier/model/shown-name.ts'
import { TREE_MANIFEST_HEADER } from '../../../verifier/model/tree-manifest.ts'

export type FileKind = 'folder' | 'proof' | 'tree-manifest' | 'json' | 'other'

/** What a file begins like, whatever it is called. Failure: `file-unreadable`. */
export async function kindOf(file: string): Promise<FileKind> {
  try {
    // A pipe or a device would be read for ever.
    const status = await stat(file)
    if (status.isDirectory()) return 'folder'
    if (!status.isFile()) throw unreadable(file)
    await using handle = await open(file, 'r')
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD), 0, HEAD, 0)
    return kindOfHead(buffer.subarray(0, bytesRead).toString('latin1'))
  } catch (cause) {
    throw cause instanceof Failure ? cause : unreadable(file, cause)
  }
}

const HEAD = 100

function kindOfHead(head: string): FileKind {
  if (head.startsWith(`${TREE_MANIFEST_HEADER}\n`)) return 'tree-manifest'
  if (head.startsWith(`./${INDEX_NAME}\0`)) return 'proof'
  return /^\s*\{/.test(head) ? 'json' : 'other'
}

function unreadable(file: string, cause?: unknown): Failure {
  return new Failure({
    code: 'file-unreadable',
    message: `${shownName(file)} cannot be read: there is no such file or folder, or the system does not give it out`,
    hint: 'give the path of a file or folder that is there',
    cause,
  })
}
