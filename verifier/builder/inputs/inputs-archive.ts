import { namedChunks } from '../../bytes/named-file.ts'
import type { BlobStore } from '../../model/blob-store.ts'
import type { Sha256 } from '../../model/digest.ts'
import { Failure } from '../../model/failure.ts'
import { encodeLock, type Input, type InputLock, MAX_LOCK_BYTES } from '../../model/lock.ts'
import { writeArchiveFile } from '../../tar/archive-file.ts'
import type { TarLimits } from '../../tar/limits.ts'
import { readTar, wholeBody } from '../../tar/read.ts'
import { inlineFile, type PlainFile, writeTar } from '../../tar/write.ts'
import { parseLock } from './parse-lock.ts'

const LOCK = 'inputs.lock.json'
const BLOBS = 'blobs/sha256/'

const LIMITS: TarLimits = {
  maxEntries: 100_000,
  maxFileSize: 4 * 1024 ** 3,
  maxTotalSize: 64 * 1024 ** 3,
  maxPathLength: 100,
  maxIndexSize: 64 * 1024 ** 2,
  maxHeaderSize: 4096,
  ignoredPaxKeys: [],
  ownerNames: 'consistent',
  holes: 'refused',
}

/**
 * Writes `inputs.tar`: the lock as `inputs.lock.json`, then each body as `blobs/sha256/<hex>`, sorted. Equal locks give equal bytes. The
 * file appears whole or not at all. Failures: those of the store, `blob-missing` among them.
 */
export async function writeInputsArchive(options: {
  readonly lock: InputLock
  readonly blobs: BlobStore
  readonly path: string
}): Promise<{ readonly sha256: Sha256; readonly size: number }> {
  return await writeArchiveFile(options.path, writeTar(members(options.lock, options.blobs)))
}

/** Reads `inputs.tar` from a file, as `readInputs` does. Failures: `file-unreadable`, and those. */
export async function readInputsArchive(options: {
  readonly path: string
  readonly blobs: BlobStore
  readonly signal?: AbortSignal
}): Promise<InputLock> {
  const { path, blobs, signal } = options
  return await readInputs(namedChunks(path, { what: 'the inputs archive', signal }), blobs)
}

/**
 * Reads `inputs.tar`, whoever made it: stores each body under its own digest and gives back the lock. Only what the lock names is taken.
 * Failures: `inputs-archive-malformed`, `inputs-archive-incomplete` (`data.missing` are sha256), `blob-differs`, `tar-…`.
 */
export async function readInputs(bytes: AsyncIterable<Uint8Array>, blobs: Pick<BlobStore, 'put' | 'size'>): Promise<InputLock> {
  let lock: InputLock | undefined
  let wanted = new Map<string, Input>()
  for await (const member of readTar(bytes, LIMITS)) {
    const name = Buffer.from(member.path).toString('latin1')
    if (member.type !== 'file') throw malformed('it holds something else than files')
    if (lock === undefined) {
      if (name !== LOCK || member.size > MAX_LOCK_BYTES) throw malformed('it does not begin with a lock')
      lock = parseLock((await wholeBody(member.body)).toString('utf8'))
      wanted = new Map(lock.inputs.map((input) => [input.sha256, input]))
      continue
    }
    const input = name.startsWith(BLOBS) ? wanted.get(name.slice(BLOBS.length)) : undefined
    if (input === undefined) throw malformed('it holds a file that its lock does not name, or holds it twice')
    if (member.size !== input.size) throw malformed('a file in it has another size than its lock states')
    wanted.delete(input.sha256)
    await blobs.put(member.body, input.sha256)
  }
  if (lock === undefined) throw malformed('it is empty')
  for (const { sha256 } of wanted.values()) if ((await blobs.size(sha256)) !== undefined) wanted.delete(sha256)
  if (wanted.size > 0)
    throw new Failure({
      code: 'inputs-archive-incomplete',
      message: `the archive of inputs lacks ${wanted.size} of the files that its lock names`,
      hint: 'take the whole archive again from who published it',
      data: { missing: [...wanted.keys()].slice(0, 100) },
    })
  return lock
}

async function* members(lock: InputLock, blobs: BlobStore): AsyncGenerator<PlainFile> {
  yield inlineFile(LOCK, Buffer.from(encodeLock(lock)))
  const inputs = new Map(lock.inputs.map(({ sha256, size }) => [sha256, size]))
  for (const [sha256, size] of [...inputs].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const stored = await blobs.size(sha256)
    if (stored !== undefined && stored !== size) throw malformed('the lock states another size than a stored file has')
    yield { path: `${BLOBS}${sha256}`, size, bytes: await blobs.open(sha256) }
  }
}

function malformed(what: string): Failure {
  return new Failure({
    code: 'inputs-archive-malformed',
    message: `the archive of inputs cannot be used: ${what}`,
    hint: 'make it with `bitwitness build`, and leave it as it is',
  })
}
