import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { sourceFailure } from '../../../verifier/source/failures.ts'
import type { PinnedTree } from '../../../verifier/source/pinned-tree.ts'
import { checkRecipePath } from '../../../verifier/source/recipe-path.ts'
import { checkRevision, type SourceRef } from '../../../verifier/source/source-ref.ts'
import type { SubmittedSource } from '../store/records.ts'

export type PinPorts = {
  readonly blobs: BlobStore
  /** As strangers may: what a URL leads to is held against the rules on addresses. `scratch` is emptied by its owner. */
  readonly pin: (source: SourceRef, scratch: string, signal: AbortSignal) => Promise<PinnedTree>
}

/** Pins what a submission names: a commit of a repository, or an archive that was uploaded. Rejects as `pinSource` does. */
export async function pinSubmission(
  ports: PinPorts,
  { source, upload }: { readonly source: SubmittedSource; readonly upload: Sha256 | null },
  { scratch, signal }: { readonly scratch: string; readonly signal: AbortSignal },
): Promise<PinnedTree> {
  const folder = checkRecipePath(source.path)
  if (source.kind === 'git') {
    checkRevision(source.commit)
    return await ports.pin({ kind: 'git', url: source.url, revision: source.commit, path: folder }, scratch, signal)
  }
  if (upload === null) throw sourceFailure('source-missing')
  const file = await layOut(ports.blobs, { sha256: upload, name: source.name, scratch, signal })
  return await ports.pin({ kind: 'archive', file, path: folder }, scratch, signal)
}

/** Under the name that its owner gave it, which reports show. */
async function layOut(
  blobs: BlobStore,
  { sha256, name, scratch, signal }: { sha256: Sha256; name: string; scratch: string; signal: AbortSignal },
): Promise<string> {
  const plain = name !== '.' && name !== '..' && Buffer.byteLength(name) <= 255 && !/[/\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(name)
  if (!plain) throw sourceFailure('source-name-refused')
  const folder = path.join(scratch, 'upload')
  await mkdir(folder, { mode: 0o700 })
  const file = path.join(folder, name)
  await pipeline(await blobs.open(sha256), createWriteStream(file, { flags: 'wx', mode: 0o600 }), { signal })
  return file
}
