import { stat } from 'node:fs/promises'
import path from 'node:path'
import { parseLock } from '../../verifier/builder/inputs/parse-lock.ts'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { readSmallFile } from '../../verifier/bytes/small-file.ts'
import { digestFile } from '../../verifier/compare/digest-file.ts'
import { BuildManifest } from '../../verifier/model/build-manifest.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { type InputLock, MAX_LOCK_BYTES } from '../../verifier/model/lock.ts'
import { shownName } from '../../verifier/model/shown-name.ts'

/** Name of the manifest in a folder that `build` wrote. */
export const BUILD_MANIFEST_FILE = 'build-manifest.json'

const MAX_MANIFEST = 16 << 20

export type BuildFolder = {
  readonly folder: string
  readonly manifest: BuildManifest
  /** The lock that the manifest names, its digest compared; null where the build took nothing from the network. */
  readonly lock: { readonly sha256: Sha256; readonly lock: InputLock } | null
}

/**
 * Reads a folder that `build` wrote, whoever hands it over. Failures: `build-folder-unreadable`, `build-manifest-malformed`, `lock-differs`,
 * `input-lock-malformed`.
 */
export async function readBuildFolder(folder: string): Promise<BuildFolder> {
  const manifest = parseManifest((await bounded(folder, BUILD_MANIFEST_FILE, MAX_MANIFEST)).toString('utf8'))
  const names = [
    ...manifest.artifacts.flatMap(({ name, file, layout }) => [name, file, layout]),
    manifest.lock?.file,
    manifest.lock?.inputs,
  ]
  if (names.some((name) => typeof name === 'string' && !isPlainName(name))) throw malformed()
  return { folder, manifest, lock: await lockOf(folder, manifest) }
}

/** Where the bytes of an artifact lie, once they were found to be the ones that the manifest names. Failure: `artifact-differs`. */
export async function provenFile(
  { folder }: BuildFolder,
  artifact: BuildManifest['artifacts'][number] & { readonly file: string },
  signal: AbortSignal,
): Promise<string> {
  const file = path.join(folder, artifact.file)
  // A pipe or a device in the place of a file would be read for ever.
  const status = await stat(file).catch((cause: unknown) => Promise.reject(unreadable(folder, cause)))
  if (!status.isFile()) throw unreadable(folder)
  const found = await digestFile(file, signal).catch((cause: unknown) => {
    signal.throwIfAborted()
    throw unreadable(folder, cause)
  })
  if (found.sha256 === artifact.sha256) return file
  throw new Failure({
    code: 'artifact-differs',
    message: 'an artifact in the build folder is not what its manifest says',
    hint: 'build again: somebody changed the file, or the manifest is of another build',
    data: { expected: artifact.sha256, actual: found.sha256 },
  })
}

async function lockOf(folder: string, { lock }: BuildManifest): Promise<BuildFolder['lock']> {
  if (lock === null) return null
  const bytes = await bounded(folder, lock.file, MAX_LOCK_BYTES)
  if (digestOf(bytes) !== lock.sha256)
    throw new Failure({
      code: 'lock-differs',
      message: 'the input lock in the build folder is not the one that its manifest names',
      hint: 'build again, or put back the lock that was written with the manifest',
    })
  return { sha256: lock.sha256, lock: parseLock(bytes.toString('utf8')) }
}

async function bounded(folder: string, name: string, maxBytes: number): Promise<Buffer> {
  const read = await readSmallFile(path.join(folder, name), { maxBytes })
  if (read.bytes !== null) return read.bytes
  throw read.why === 'too-large' ? malformed() : unreadable(folder, read.cause)
}

function parseManifest(text: string): BuildManifest {
  try {
    return BuildManifest.parse(JSON.parse(text))
  } catch {
    throw malformed()
  }
}

function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name)
}

function unreadable(folder: string, cause?: unknown): Failure {
  return new Failure({
    code: 'build-folder-unreadable',
    message: `${shownName(folder)} is no folder that a build wrote, or it cannot be read`,
    hint: `give the folder of bitwitness build -o, with its ${BUILD_MANIFEST_FILE}`,
    cause,
  })
}

function malformed(): Failure {
  return new Failure({
    code: 'build-manifest-malformed',
    message: 'the manifest of the build cannot be read',
    hint: 'use the folder as bitwitness build wrote it; a newer one may need a newer Bitwitness',
  })
}
