import { namedChunks } from '../bytes/named-file.ts'
import type { BlobStore } from '../model/blob-store.ts'
import type { Sha256 } from '../model/digest.ts'
import { Failure } from '../model/failure.ts'
import { type InputLock, MAX_LOCK_BYTES } from '../model/lock.ts'
import { IMAGE_TAR_LIMITS, type TarLimits } from '../tar/limits.ts'
import { readTar, type StreamedMember, wholeBody } from '../tar/read.ts'
import { BLOB_PREFIX, DESCRIPTION_NAME, INPUT_PREFIX, LOCK_NAME } from './image-archive.ts'
import { describedBuilder, imageObjection, lockOfBuilder, MAX_DESCRIPTION, MAX_LAYER, MAX_SMALL_BLOB } from './image-check.ts'
import type { BuilderImage } from './image-description.ts'
import type { BuilderStore } from './image-store.ts'

const MIB = 1024 * 1024
const GIB = 1024 * MIB
const LIMITS: TarLimits = {
  ...IMAGE_TAR_LIMITS,
  maxEntries: 50_000,
  maxFileSize: 4 * GIB,
  maxTotalSize: 16 * GIB,
  maxPathLength: 255,
  maxIndexSize: 16 * MIB,
  maxHeaderSize: 4096,
  holes: 'refused',
}

/** What an engine reads and we do not: the digests in `builder.json` say the same. */
const ENGINE_FILES = new Set(['oci-layout', 'index.json', 'manifest.json'])

/**
 * Reads what `exportBuilder` wrote, whoever made it, and keeps it: every blob under its own digest, only blobs that `builder.json` or
 * the lock names, config and manifest checked to name this layer and no other, the lock's packages to be the described ones. That the
 * layer was made from that lock only a rebuild shows; which builders count is for a policy to say, by digest.
 *
 * Failures: `file-unreadable`, `builder-archive-malformed`, `builder-archive-incomplete`, `builder-packages-differ`, `builder-mkosi-version`,
 * `input-lock-malformed`, `blob-differs`, `tar-…`.
 */
export async function importBuilder(o: {
  path: string
  blobs: BlobStore
  store: BuilderStore
  signal?: AbortSignal
}): Promise<{ readonly builder: BuilderImage /** Whether the lock's inputs came with it. */; readonly inputs: boolean }> {
  const file = namedChunks(o.path, { what: 'the exported builder', signal: o.signal })
  const members = readTar(file, LIMITS)
  try {
    const builder = readDescription(await head(members, DESCRIPTION_NAME, MAX_DESCRIPTION))
    const lockText = await head(members, LOCK_NAME, MAX_LOCK_BYTES)
    const lock = readLock(builder, lockText)
    const wanted = wantedBlobs(builder, lock)
    for await (const member of members) await take(member, wanted, o.blobs)
    const inputs = await judgeInputs(wanted, lock)
    for (const sha256 of [builder.layer.sha256, builder.digest, builder.manifest])
      if (wanted.has(`${BLOB_PREFIX}${sha256}`)) throw incomplete(sha256)
    const objection = await imageObjection(builder, o.blobs)
    if (objection !== undefined) throw malformed(objection)
    await o.blobs.put(once(lockText), builder.lock)
    await o.store.add(builder, 'imported')
    return { builder, inputs }
  } finally {
    await members.return()
    await file.return()
  }
}

type Wanted = Map<string, { readonly sha256: Sha256; readonly size: number | null; readonly max: number }>

async function head(members: AsyncGenerator<StreamedMember>, name: string, max: number): Promise<Buffer> {
  const next = await members.next()
  if (next.done === true || next.value.type !== 'file' || nameOf(next.value) !== name) throw malformed(`${name} is not where it must be`)
  if (next.value.size > max) throw malformed(`${name} is too large`)
  return await wholeBody(next.value.body)
}

function readDescription(bytes: Buffer): BuilderImage {
  const builder = describedBuilder(bytes)
  if (builder === undefined) throw malformed(`${DESCRIPTION_NAME} describes no builder`)
  return builder
}

function readLock(builder: BuilderImage, text: Buffer): InputLock {
  const lock = lockOfBuilder(builder, text)
  if (typeof lock === 'string') throw malformed(`${LOCK_NAME}: ${lock}`)
  return lock
}

function wantedBlobs(builder: BuilderImage, lock: InputLock): Wanted {
  if (builder.layer.size > MAX_LAYER) throw malformed('its layer is too large')
  return new Map([
    [`${BLOB_PREFIX}${builder.digest}`, { sha256: builder.digest, size: null, max: MAX_SMALL_BLOB }],
    [`${BLOB_PREFIX}${builder.manifest}`, { sha256: builder.manifest, size: null, max: MAX_SMALL_BLOB }],
    [`${BLOB_PREFIX}${builder.layer.sha256}`, { sha256: builder.layer.sha256, size: builder.layer.size, max: MAX_LAYER }],
    ...lock.inputs.map(({ sha256, size }) => [`${INPUT_PREFIX}${sha256}`, { sha256, size, max: size }] as const),
  ])
}

async function take(member: StreamedMember, wanted: Wanted, blobs: BlobStore): Promise<void> {
  const name = nameOf(member)
  if (member.type !== 'file') throw malformed('it holds something else than files')
  if (ENGINE_FILES.has(name)) return
  const want = wanted.get(name)
  if (want === undefined) throw malformed('it holds a file that neither builder.json nor the lock names, or holds it twice')
  if (member.size > want.max || (want.size !== null && member.size !== want.size)) throw malformed('a file in it has not the stated size')
  wanted.delete(name)
  await blobs.put(member.body, want.sha256)
}

/** All inputs or none: half an escrow is one that fails when it is needed. */
async function judgeInputs(wanted: Wanted, lock: InputLock): Promise<boolean> {
  const missing = new Set([...wanted].filter(([name]) => name.startsWith(INPUT_PREFIX)).map(([, { sha256 }]) => sha256))
  if (missing.size === 0) return true
  if (missing.size === new Set(lock.inputs.map(({ sha256 }) => sha256)).size) return false
  throw incomplete([...missing][0] ?? '')
}

function nameOf(member: StreamedMember): string {
  return Buffer.from(member.path).toString('latin1')
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

function malformed(what: string): Failure {
  return new Failure({
    code: 'builder-archive-malformed',
    message: `the file is not an exported builder: ${what}`,
    hint: 'make it with `bitwitness builder export`, and leave it as it is',
  })
}

function incomplete(sha256: string): Failure {
  return new Failure({
    code: 'builder-archive-incomplete',
    message: 'the exported builder lacks a part that it names',
    hint: 'take the whole file again from who exported it',
    data: { sha256 },
  })
}
