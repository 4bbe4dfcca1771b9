import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { readSmallFile } from '../../../verifier/bytes/small-file.ts'
import { writeWhole } from '../../../verifier/bytes/whole-file.ts'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { type PinnedReference, pinnedName } from '../../../verifier/model/image-reference.ts'
import { shownName } from '../../../verifier/model/shown-name.ts'
import type { PushPorts } from '../push.ts'
import { PUSH_FILES } from '../push-documents.ts'

export const COMPOSE_CREATED_SCHEMA = 'bitwitness/compose-created/v1'

export const ComposeCreated = z.strictObject({
  schema: z.literal(COMPOSE_CREATED_SCHEMA),
  composeHash: Sha256,
  image: z.string(),
  /** Names in the output folder. */
  files: z.strictObject({ appCompose: z.string(), dockerCompose: z.string() }),
})
export type ComposeCreated = z.infer<typeof ComposeCreated>

export type CreateCompose = {
  readonly image: PinnedReference
  /** Of the service and the app; null: the last part of the image's name. */
  readonly name: string | null
  /** `3000`, `53/udp`. */
  readonly ports: readonly string[]
  /** `NAME=value`. */
  readonly env: readonly string[]
  readonly command: readonly string[]
  readonly workingDir: string | null
  readonly folder: string
}

/**
 * Writes a Compose file that runs an image by its digest, and the app-compose with it inside, by libraries and never from a template. Fails with
 * `compose-exists`, `compose-not-written`, `compose-text-unwritable`, `app-compose-too-large` and `app-name-malformed`.
 */
export async function createCompose({ deployment }: Pick<PushPorts, 'deployment'>, o: CreateCompose): Promise<ComposeCreated> {
  const service = o.name ?? o.image.repository.slice(o.image.repository.lastIndexOf('/') + 1)
  if (!/^[a-z0-9][a-z0-9._-]{0,254}$/.test(service)) throw nameMalformed()
  const image = pinnedName(o.image)
  const config = {
    entrypoint: [],
    cmd: [...o.command],
    workingDir: o.workingDir,
    user: null,
    env: [...o.env],
    exposedPorts: [...o.ports],
    labels: {},
  }
  const { compose, appCompose, composeHash } = deployment({ service, image, config })
  try {
    await requireOurs(path.join(o.folder, PUSH_FILES.compose), compose)
    await requireOurs(path.join(o.folder, PUSH_FILES.appCompose), appCompose)
    await mkdir(o.folder, { recursive: true })
    await writeWhole(path.join(o.folder, PUSH_FILES.compose), compose)
    await writeWhole(path.join(o.folder, PUSH_FILES.appCompose), appCompose)
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    throw new Failure({
      code: 'compose-not-written',
      message: 'the files could not be written',
      hint: 'make room, or look at who may write to the folder',
      cause,
    })
  }
  return {
    schema: COMPOSE_CREATED_SCHEMA,
    composeHash,
    image,
    files: { appCompose: PUSH_FILES.appCompose, dockerCompose: PUSH_FILES.compose },
  }
}

/** Not there, or what is to be written already: nothing of anybody's is taken away. */
async function requireOurs(file: string, text: string): Promise<void> {
  const found = await readSmallFile(file, { maxBytes: Buffer.byteLength(text) })
  if (found.bytes === null ? found.why === 'absent' : found.bytes.equals(Buffer.from(text))) return
  throw new Failure({
    code: 'compose-exists',
    message: `${shownName(file)} is there already, and is something else`,
    hint: 'name another folder, or move away what is in this one',
  })
}

function nameMalformed(): Failure {
  return new Failure({
    code: 'app-name-malformed',
    message: 'it is no name of an app',
    hint: 'use small letters, digits, dots, dashes and underscores, a letter or digit first',
  })
}
