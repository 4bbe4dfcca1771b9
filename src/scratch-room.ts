import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { BlobStore } from '../verifier/model/blob-store.ts'
import { openBlobFolder } from './storage/blob-folder.ts'

export type ScratchRoom = AsyncDisposable & { readonly path: string; readonly blobs: BlobStore }

/** Room for a command that needs neither the home nor an engine: a private temporary folder, gone when it is disposed of. */
export async function openScratchRoom(): Promise<ScratchRoom> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-'))
  const blobs = await openBlobFolder(path.join(folder, 'blobs'))
  return { path: folder, blobs, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }) }
}
