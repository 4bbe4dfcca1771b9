import path from 'node:path'
import { readSmallFile } from '../../verifier/bytes/small-file.ts'
import { writeWhole } from '../../verifier/bytes/whole-file.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { encodeDocument } from '../../verifier/model/document.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { DOCKER_HUB, type ImageReference, imageName, isTag, pinnedName } from '../../verifier/model/image-reference.ts'
import { jsonOf } from '../../verifier/model/json-of.ts'
import type { ImageConfig } from '../../verifier/model/recipe.ts'
import { type BuildFolder, readBuildFolder } from './build-folder.ts'
import type { ImageRegistry, TagState } from './image-registry.ts'
import { PUSH_FILES, PUSH_REPORT_SCHEMA, type PushReport, REGISTRY_INFO_SCHEMA, RegistryInfo } from './push-documents.ts'
import { type ImageArtifact, imageOf, type PushedLayout, readPushedLayout } from './pushed-layout.ts'

export type PushCommand = {
  /** That `build` wrote. */
  readonly folder: string
  /** Where to; its tag is one more to push. */
  readonly image: ImageReference
  /** Name of the artifact; null: the only one with an image layout. */
  readonly artifact: string | null
  /** Beside the tag that is the tar's digest. */
  readonly tags: readonly string[]
  /** Looks at the folder and says what would be done; the registry is not asked. */
  readonly dryRun: boolean
  readonly onProgress: (progress: PushProgress) => void
  readonly signal: AbortSignal
}

/** Bytes of a blob that were sent. */
export type PushProgress = { readonly kind: 'config' | 'layer'; readonly done: number; readonly total: number }

export type PushPorts = {
  readonly registry: ImageRegistry
  readonly deployment: (o: { service: string; image: string; config: ImageConfig }) => {
    readonly compose: string
    readonly appCompose: string
    readonly composeHash: Sha256
  }
  readonly now: () => string
}

/**
 * Pushes the image of a build by its digest, and lets tags mean it: the tar's digest, and those asked for. What is there already is not sent
 * again, so that a push that broke off goes on where it was. Then writes beside the build manifest where the image is, a compose file that
 * pins it, and an app-compose. Rejects with `image-digest-unexpected`, `image-user-missing`, `image-tag-malformed`, as reading the folder
 * does, and with `registry-…` failures.
 */
export async function push(ports: PushPorts, command: PushCommand): Promise<PushReport> {
  const { image, signal } = command
  checkTarget(command)
  const built = await readBuildFolder(command.folder)
  checkNames(built)
  const artifact = imageOf(built, command.artifact)
  const layout = await readPushedLayout(built, artifact)
  const pinned = pinnedName({ ...image, digest: layout.manifest.sha256 })
  const service = image.repository.slice(image.repository.lastIndexOf('/') + 1)
  const deployment = ports.deployment({ service, image: pinned, config: built.manifest.parameters.image })
  const tags = [...new Set([artifact.sha256, ...(image.tag === null ? [] : [image.tag]), ...command.tags])]
  const before = await readInfo(built, layout.manifest.sha256, image)
  const done = command.dryRun
    ? { blobs: planned(layout), manifest: 'planned' as const, tags: tags.map((tag) => ({ tag, state: 'planned' as const, from: null })) }
    : await send(ports, { ...command, layout, tags, mountFrom: before.mountFrom })
  const present = done.manifest === 'present' && [...done.blobs, ...done.tags].every(({ state }) => state === 'present')
  if (!command.dryRun) {
    signal.throwIfAborted()
    const info = present && before.same !== null ? before.same : infoOf({ image, artifact, pinned, pushedAt: ports.now() })
    await writeFiles(built, { [PUSH_FILES.compose]: deployment.compose, [PUSH_FILES.appCompose]: deployment.appCompose })
    // Last: where the image is, once everything about it is there.
    await writeFiles(built, { [PUSH_FILES.registryInfo]: encodeDocument(RegistryInfo, info) })
  }
  return {
    schema: PUSH_REPORT_SCHEMA,
    verdict: command.dryRun ? 'planned' : present ? 'present' : 'pushed',
    image: { name: imageName(image), manifest: layout.manifest.sha256, pinned },
    ...done,
    files: PUSH_FILES,
    composeHash: deployment.composeHash,
  }
}

function checkTarget({ image, tags }: PushCommand): void {
  if (image.digest !== null)
    throw new Failure({
      code: 'image-digest-unexpected',
      message: 'an image cannot be pushed to a digest that is given: the digest follows from the image',
      hint: 'leave @sha256:… away',
    })
  if (image.registry === DOCKER_HUB && image.repository.startsWith('library/'))
    throw new Failure({
      code: 'image-user-missing',
      message: "on Docker Hub an image's name begins with the user's",
      hint: 'write docker.io/USER/NAME',
    })
  if (!tags.every(isTag))
    throw new Failure({
      code: 'image-tag-malformed',
      message: 'a tag has letters, digits, dots, dashes and underscores, at most 128, and begins with none of the dots and dashes',
      hint: 'name another with --tag',
    })
}

/** A build calls none of its files so; a folder can come from anybody. */
function checkNames({ manifest }: BuildFolder): void {
  const own: readonly string[] = Object.values(PUSH_FILES)
  const names = [...manifest.artifacts.flatMap(({ file, layout }) => [file, layout]), manifest.lock?.file, manifest.lock?.inputs]
  if (names.some((name) => typeof name === 'string' && own.includes(name)))
    throw new Failure({
      code: 'push-name-taken',
      message: 'a file of the build has the name of one that a push writes',
      hint: "call the artifact otherwise (Output= in the recipe's mkosi.conf), and build again",
    })
}

type Sent = Pick<PushReport, 'blobs' | 'manifest' | 'tags'>

async function send(
  ports: PushPorts,
  o: PushCommand & { readonly layout: PushedLayout; readonly tags: readonly string[]; readonly mountFrom: string | null },
): Promise<Sent> {
  const { layout, signal, onProgress } = o
  const repository = ports.registry.repository(o.image, { access: 'push', mountFrom: o.mountFrom })
  const blobs: Sent['blobs'] = []
  for (const kind of ['config', 'layer'] as const) {
    const blob = layout[kind]
    const { sha256, size } = blob
    const state = await repository.pushBlob(blob, { onBytes: (done) => onProgress({ kind, done, total: size }), signal })
    blobs.push({ kind, sha256, size, state })
  }
  const manifest = await repository.pushManifest(layout.manifest, signal)
  const tags: Sent['tags'] = []
  for (const tag of o.tags) tags.push({ tag, ...withFrom(await repository.pushTag(layout.manifest, tag, signal)) })
  return { blobs, manifest, tags }
}

function withFrom(state: TagState): Pick<Sent['tags'][number], 'state' | 'from'> {
  return state.state === 'moved' ? state : { state: state.state, from: null }
}

function planned(layout: PushedLayout): Sent['blobs'] {
  return (['config', 'layer'] as const).map((kind) => ({
    kind,
    sha256: layout[kind].sha256,
    size: layout[kind].size,
    state: 'planned' as const,
  }))
}

function infoOf(o: { image: ImageReference; artifact: ImageArtifact; pinned: string; pushedAt: string }): RegistryInfo {
  return {
    schema: REGISTRY_INFO_SCHEMA,
    registry: o.image.registry,
    imageName: o.image.repository,
    fullImage: `${imageName(o.image)}:${o.artifact.sha256}`,
    pinnedImage: o.pinned,
    hash: o.artifact.sha256,
    type: 'oci-image',
    sourceTar: o.artifact.file,
    pushedAt: o.pushedAt,
  }
}

const MAX_INFO = 64 * 1024

/** What an earlier push wrote here: the same again, or another repository of the registry, which then has the same blobs. */
async function readInfo(
  { folder }: BuildFolder,
  manifest: Sha256,
  image: ImageReference,
): Promise<{ readonly same: RegistryInfo | null; readonly mountFrom: string | null }> {
  const file = path.join(folder, PUSH_FILES.registryInfo)
  const { bytes } = await readSmallFile(file, { maxBytes: MAX_INFO })
  const parsed = RegistryInfo.safeParse(bytes === null ? undefined : jsonOf(bytes.toString('utf8')))
  if (!parsed.success || parsed.data.registry !== image.registry) return { same: null, mountFrom: null }
  const { imageName: repository, pinnedImage } = parsed.data
  if (repository === image.repository)
    return { same: pinnedImage === pinnedName({ ...image, digest: manifest }) ? parsed.data : null, mountFrom: null }
  // It goes into a URL and into what a token is asked for: only a name is taken.
  return { same: null, mountFrom: /^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/.test(repository) ? repository : null }
}

async function writeFiles({ folder }: BuildFolder, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    try {
      await writeWhole(path.join(folder, name), text)
    } catch (cause) {
      throw new Failure({
        code: 'push-files-unwritten',
        message: 'the image is pushed, but the files about it could not be written into the build folder',
        hint: 'make the folder writable, and run it again: nothing is sent twice',
        cause,
      })
    }
  }
}
