import { createReadStream, createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ExpectedOutput } from '../builder/plan.ts'
import type { OutputEntry } from '../builder/sandbox.ts'
import { canonicaliseTar } from '../compare/canonicalise.ts'
import { type Compression, compressionOf, DECOMPRESS_LIMITS, openDecompressed } from '../compare/decompress.ts'
import { digestFile } from '../compare/digest-file.ts'
import { packOci } from '../compare/oci-image.ts'
import { unpackOciTar } from '../compare/oci-unpack.ts'
import type { Artifact, ArtifactFormat } from '../model/attempt.ts'
import type { BlobStore } from '../model/blob-store.ts'
import { Failure } from '../model/failure.ts'
import type { ImageConfig } from '../model/recipe.ts'
import { IMAGE_TAR_LIMITS } from '../tar/limits.ts'
import { OutputRefused, OutputTooLarge } from './ending.ts'
import type { CollectedOutput } from './spool.ts'

export type DigestOptions = {
  readonly expected: readonly ExpectedOutput[] | undefined
  readonly collected: readonly CollectedOutput[]
  readonly imageConfig: ImageConfig
  /** Debian's word. */
  readonly architecture: string
  /** Seconds since the epoch. */
  readonly created: number
  /** Of all artifacts together, uncompressed and with the holes of sparse files filled. */
  readonly maxBytes: number
  readonly blobs: BlobStore
  readonly signal: AbortSignal
}

/** `files`: where the bytes of each artifact lie, the canonical tar or the uncompressed file; of an OCI image its layer's canonical tar. */
export type Digested = { readonly artifacts: readonly Artifact[]; readonly files: ReadonlyMap<string, string> }
type DigestedOne = { readonly artifact: Artifact; readonly file: string | null }

/** Digests what mkosi was to write; a build that did not leave it as a regular file of the expected name has no artifact. */
export async function digestOutputs(options: DigestOptions): Promise<Digested> {
  const { expected, collected } = options
  if (expected === undefined || expected.length === 0) throw refused('output-unknown', 'mkosi did not say what it builds')
  const artifacts: Artifact[] = []
  const files = new Map<string, string>()
  const seen = new Set<string>()
  if (new Set(expected.map((output) => withoutCompression(output.file))).size !== expected.length)
    throw refused('output-ambiguous', 'two images of the recipe have the same output')
  const take = ({ artifact, file }: DigestedOne): void => {
    artifacts.push(artifact)
    seen.add(artifact.name)
    if (file !== null) files.set(artifact.name, file)
  }
  for (const output of expected) {
    const found = find(output, collected)
    if (found === undefined) {
      if (output.image !== 'main' && expected.length > 1) continue
      throw refused('output-missing', `the build left no regular ${output.file}`)
    }
    take(await digestOne(output.file, output.format, found, within(options, artifacts)))
  }
  for (const one of collected) {
    const name = withoutCompression(one.entry.name)
    if (seen.has(name) || !expected.some((output) => isSplitOff(one.entry, output))) continue
    take(await digestOne(name, name.endsWith('.efi') ? 'uki' : 'other', one, within(options, artifacts)))
  }
  return { artifacts: artifacts.toSorted((a, b) => (a.name < b.name ? -1 : 1)), files }
}

function within(options: DigestOptions, artifacts: readonly Artifact[]): DigestOptions {
  return { ...options, maxBytes: options.maxBytes - artifacts.reduce((sum, { size }) => sum + size, 0) }
}

const COMPRESSIONS = ['', '.zst', '.gz', '.xz'] as const

function find(output: ExpectedOutput, collected: readonly CollectedOutput[]): CollectedOutput | undefined {
  const type = output.format === 'directory' || output.format === 'oci' ? 'tree' : 'file'
  const found = collected.filter(
    ({ entry }) =>
      entry.type === type && COMPRESSIONS.some((extension) => entry.name === `${output.file}${type === 'file' ? extension : ''}`),
  )
  // A script that leaves a second one beside mkosi's must not have us choose.
  if (found.length > 1) throw refused('output-ambiguous', `the build left ${output.file} more than once, compressed and not`)
  return found[0]
}

/**
 * What mkosi splits off a bootable image (SplitArtifacts=): unified kernel, kernel, initrd, root hash, partitions. Nothing else that lies
 * in the output folder is an artifact: a script could put any file there, and a claim must not be met by that.
 */
function isSplitOff(entry: OutputEntry, { stem, format }: ExpectedOutput): boolean {
  if (entry.type !== 'file' || !['disk', 'esp', 'uki'].includes(format) || !/^[A-Za-z0-9._+~@-]{1,255}$/.test(entry.name)) return false
  return (
    /^\.(efi|vmlinuz|initrd|roothash|[a-z0-9-]{1,64}\.raw)$/.test(withoutCompression(entry.name).slice(stem.length)) &&
    entry.name.startsWith(stem)
  )
}

function withoutCompression(name: string): string {
  return name.replace(/\.(zst|gz|xz)$/, '')
}

async function digestOne(name: string, format: ArtifactFormat, output: CollectedOutput, options: DigestOptions): Promise<DigestedOne> {
  try {
    if (format === 'tar' || format === 'directory') return await digestTree(name, format, output, options)
    if (format === 'oci') return await digestOci(name, output, options)
    return await digestPlain(name, format, output, options)
  } catch (error) {
    if (error instanceof Failure && TOO_LARGE.has(error.code))
      throw new OutputTooLarge({ code: error.code, message: error.message, hint: error.hint, cause: error })
    // Whatever the readers refuse is in the build's output, which is the recipe's doing.
    if (error instanceof Failure && error.audience === 'caller' && !(error instanceof OutputRefused))
      throw refused(error.code, `${name}: ${error.message}`, error)
    throw error
  }
}

const TOO_LARGE = new Set(['tar-file-size-limit', 'tar-total-size-limit', 'decompressed-size'])

/** A tar of mkosi's, or our tar of a folder of its: brought to canonical form, which the claim is on and the image is packed from. */
async function digestTree(name: string, format: ArtifactFormat, output: CollectedOutput, options: DigestOptions): Promise<DigestedOne> {
  // What is not compressed is digested on the way to canonical form.
  const compressed = (await compressionOf(output.file)) === 'none' ? undefined : await digestFile(output.file, options.signal)
  const { compression, file } = await uncompressed(output.file, options)
  const canonical = `${output.file}.canonical`
  const tree = await canonicaliseTar({ ...canonicalising(options), input: file, output: canonical, taken: true })
  await rm(file, { force: true })
  const image = packOci({
    layer: tree.canonical,
    created: options.created,
    architecture: options.architecture,
    config: options.imageConfig,
  })
  return {
    file: canonical,
    artifact: {
      ...plain(name, format, tree.canonical),
      treeManifest: tree.treeManifest,
      oci: { manifest: image.manifest.sha256, config: image.config.sha256, layer: tree.canonical.sha256 },
      written: { name: output.entry.name, ...(compressed ?? tree.written), compression },
    },
  }
}

/** An image layout of mkosi's: its manifest is the artifact; the tree of a single layer is read, to explain differences. */
async function digestOci(name: string, output: CollectedOutput, options: DigestOptions): Promise<DigestedOne> {
  const folder = `${output.file}.layout`
  const written = await digestFile(output.file, options.signal)
  const bytes = createReadStream(output.file, { highWaterMark: 1 << 20 })
  const { manifest, config, layers } = await unpackOciTar(bytes, folder, options.maxBytes)
  await rm(output.file, { force: true })
  const artifact = {
    ...plain(name, 'oci', { sha256: manifest.sha256, size: manifest.bytes.length }),
    oci: { manifest: manifest.sha256, config: config.sha256, layer: null },
    written: { name: output.entry.name, ...written, compression: 'none' as const },
  }
  const [layer] = layers
  if (layer === undefined || layers.length > 1) return { artifact, file: null }
  const { file } = await uncompressed(layer.path, options)
  const canonical = `${output.file}.canonical`
  const tree = await canonicaliseTar({ ...canonicalising(options), input: file, output: canonical, taken: true })
  await rm(folder, { recursive: true, force: true })
  return { artifact: { ...artifact, treeManifest: tree.treeManifest }, file: canonical }
}

async function digestPlain(name: string, format: ArtifactFormat, output: CollectedOutput, options: DigestOptions): Promise<DigestedOne> {
  const written = await digestFile(output.file, options.signal)
  const { compression, file } = await uncompressed(output.file, options)
  const digested = compression === 'none' ? written : await digestFile(file, options.signal)
  return { file, artifact: { ...plain(name, format, digested), written: { name: output.entry.name, ...written, compression } } }
}

function canonicalising({ maxBytes, blobs, signal }: DigestOptions) {
  return { limits: { ...IMAGE_TAR_LIMITS, maxFileSize: maxBytes, maxTotalSize: maxBytes }, blobs, signal }
}

type Sized = Pick<Artifact, 'sha256' | 'size'>

function plain(name: string, format: ArtifactFormat, { sha256, size }: Sized): Omit<Artifact, 'written'> {
  return { name, format, sha256, size, treeManifest: null, oci: null, notComparable: null }
}

/** The file itself where it is not compressed, else what is in it beside it; the compressed one is removed. */
async function uncompressed(file: string, options: DigestOptions): Promise<{ compression: Compression; file: string }> {
  const { compression, bytes } = await openDecompressed(file, { ...DECOMPRESS_LIMITS, maxSize: options.maxBytes })
  if (compression === 'none') return { compression, file }
  const target = `${file}.uncompressed`
  await pipeline(Readable.from(bytes, { objectMode: false }), createWriteStream(target, { flags: 'wx', mode: 0o600 }), {
    signal: options.signal,
  })
  await rm(file, { force: true })
  return { compression, file: target }
}

function refused(code: string, message: string, cause?: unknown): OutputRefused {
  return new OutputRefused({ code, message, hint: 'look at the log of the attempt and at the scripts that touch the output', cause })
}
