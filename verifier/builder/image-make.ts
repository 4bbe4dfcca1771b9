import { createReadStream } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { canonicaliseTar } from '../compare/canonicalise.ts'
import { packOci } from '../compare/oci-image.ts'
import type { BlobStore } from '../model/blob-store.ts'
import type { EmitEvent } from '../model/event.ts'
import { Failure } from '../model/failure.ts'
import { encodeLock, type InputLock } from '../model/lock.ts'
import { ARCHIVE_KEYRING, bootstrapBuilder } from './image-bootstrap.ts'
import { type BuilderDefinition, readDefinition } from './image-definition.ts'
import { BUILDER_IMAGE_SCHEMA, type BuilderImage } from './image-description.ts'
import { requireMmdebstrap, runMmdebstrap } from './image-mmdebstrap.ts'
import { checkMkosi, checkPackages, parsePackages, pinPreferences } from './image-packages.ts'
import type { InputProxy } from './inputs/input-proxy.ts'

export type MakeBuilderOptions = {
  /** The folder `mkosi/builder`. */
  readonly definition: string
  /** Version of mkosi; null: the definition's default. */
  readonly mkosi: string | null
  /** Records or replays; makeBuilder finishes it, its owner disposes of it. */
  readonly proxy: InputProxy
  /** The lock that the proxy replays; null where it records. */
  readonly lock: InputLock | null
  readonly blobs: BlobStore
  /** Scratch space, about 1 GB; emptied again. */
  readonly workDir: string
  /** Debian's name; this machine's where left out. */
  readonly architecture?: string
  /** `root` where we are root, else `unshare`. */
  readonly mode?: 'root' | 'unshare'
  readonly keyring?: string
  readonly signal?: AbortSignal
  readonly emit: EmitEvent
}

/**
 * Makes a builder image from Debian's archive through `proxy`: apt checks the archive's signatures, recorded or replayed. Equal inputs
 * give an equal image wherever it is made: host name, clock, locale, umask, folders and the host's versions of apt and mmdebstrap do not
 * show in it. Config, manifest, layer and lock are put into `blobs`; keeping the description is the caller's.
 *
 * Failures: `mmdebstrap-missing`, `builder-architecture-unsupported`, `builder-profile-unknown`, `builder-definition-malformed`,
 * `builder-bootstrap-failed`, the proxy's own codes where an input was the reason, `builder-packages-differ`, `builder-mkosi-version`,
 * `builder-root-malformed`, `tar-…`.
 */
export async function makeBuilder(o: MakeBuilderOptions): Promise<BuilderImage> {
  const definition = await readDefinition(o.definition, o.mkosi)
  const architecture = nativeArchitecture(o.architecture)
  await requireMmdebstrap()
  const scratch = await mkdtemp(path.join(o.workDir, 'builder-'))
  try {
    return await makeIn(scratch, { ...o, architecture }, definition)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function makeIn(
  scratch: string,
  o: MakeBuilderOptions & { readonly architecture: string },
  definition: BuilderDefinition,
): Promise<BuilderImage> {
  const rootTar = path.join(scratch, 'root.tar')
  const { packages, lock } = await bootstrap(scratch, rootTar, o, definition)
  checkPackages(packages, lock)
  checkMkosi(packages, definition.mkosi)
  const layerPath = path.join(scratch, 'layer.tar')
  const { canonical } = await canonicaliseTar({
    input: rootTar,
    output: layerPath,
    blobs: o.blobs,
    ...(o.signal === undefined ? {} : { signal: o.signal }),
  })
  const image = packOci({
    layer: canonical,
    created: definition.epoch,
    architecture: o.architecture,
    config: {
      user: '1000:1000',
      env: ['PATH=/usr/bin:/usr/sbin', 'LANG=C.UTF-8', 'TZ=UTC'],
      entrypoint: [],
      cmd: [],
      workingDir: '/',
      exposedPorts: [],
      labels: { 'io.bitwitness.builder.mkosi': definition.mkosi, 'io.bitwitness.builder.suite': definition.suite },
    },
  })
  await o.blobs.put(createReadStream(layerPath, { highWaterMark: 1024 * 1024 }), canonical.sha256)
  await o.blobs.put(once(image.config.bytes), image.config.sha256)
  await o.blobs.put(once(image.manifest.bytes), image.manifest.sha256)
  const { sha256: lockDigest } = await o.blobs.put(once(Buffer.from(encodeLock(lock))))
  return {
    schema: BUILDER_IMAGE_SCHEMA,
    digest: image.config.sha256,
    manifest: image.manifest.sha256,
    layer: { sha256: canonical.sha256, size: canonical.size },
    architecture: o.architecture,
    mkosi: definition.mkosi,
    definition: definition.digest,
    suite: definition.suite,
    lock: lockDigest,
    packages,
  }
}

async function bootstrap(
  scratch: string,
  output: string,
  o: MakeBuilderOptions & { readonly architecture: string },
  definition: BuilderDefinition,
): Promise<{ packages: BuilderImage['packages']; lock: InputLock }> {
  const mode = o.mode ?? (process.getuid?.() === 0 ? 'root' : 'unshare')
  const { port } = await o.proxy.listen()
  const plan = bootstrapBuilder({
    definition,
    architecture: o.architecture,
    mode,
    proxyPort: port,
    keyring: o.keyring ?? ARCHIVE_KEYRING,
    preferences: o.lock === null ? null : pinPreferences(o.lock),
    // Without root mmdebstrap works as users of another number, who must be able to reach the folder.
    temporary: mode === 'root' ? scratch : tmpdir(),
  })
  await chmod(scratch, 0o755)
  const files = [...definition.files, ...plan.files.map(({ name, content }) => [name, Buffer.from(content)] as const)]
  for (const [name, content] of files) await writeFile(path.join(scratch, name), content, { flag: 'wx' })
  try {
    const list = await runMmdebstrap({
      bootstrap: plan,
      mode,
      directory: scratch,
      output,
      log: (line) => o.emit({ kind: 'log', line }),
      signal: o.signal,
    })
    return { packages: parsePackages(list), lock: await o.proxy.finish() }
  } catch (error) {
    throw blameInputs(error, o.proxy)
  }
}

/** Where an input was the reason, that is what the caller can do something about. */
function blameInputs(error: unknown, proxy: InputProxy): unknown {
  const first = proxy.failures()[0]
  if (!(error instanceof Failure) || error.code !== 'builder-bootstrap-failed' || first === undefined) return error
  const { code, archive, path: file, expected, actual, message } = first
  return new Failure({
    code,
    message,
    hint:
      code === 'input-unavailable'
        ? 'check the mirror, or gather the inputs of the lock first'
        : 'the log says what apt asked for; a lock fits only the definition and mkosi version that recorded it',
    data: { archive, path: file, expected, actual },
    cause: error,
  })
}

/** Maintainer scripts run natively: a builder is made on a machine of its own architecture. */
function nativeArchitecture(wanted: string | undefined): string {
  const known: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }
  const native = known[process.arch]
  if (native !== undefined && (wanted === undefined || wanted === native)) return native
  throw new Failure({
    code: 'builder-architecture-unsupported',
    message: 'a builder is made on a machine of its own architecture, amd64 or arm64',
    hint: 'make it on such a machine, export it there and import it here',
    data: { native: native ?? null, wanted: wanted ?? null },
  })
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
