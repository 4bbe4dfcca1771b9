import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { acceptVerification } from '../src/app/service/accept-verification.ts'
import { GivenBytes } from '../src/app/service/given-bytes.ts'
import { JobDesk } from '../src/app/service/job-desk.ts'
import { leaseAttempt } from '../src/app/service/lease-attempt.ts'
import { markPrepared } from '../src/app/service/prepare-verification.ts'
import type { ServiceEvents } from '../src/app/service/service-events.ts'
import type { WorkerPorts } from '../src/app/service/worker-ports.ts'
import type { Prepared, Submission } from '../src/app/store/records.ts'
import { openBlobFolder } from '../src/storage/blob-folder.ts'
import { StoreRoom } from '../src/store-room.ts'
import type { BlobStore } from '../verifier/model/blob-store.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { readRecipe } from '../verifier/recipe/read-recipe.ts'
import { pinSource } from '../verifier/source/pin-source.ts'
import { OWN_ACCESS } from '../verifier/source/source-ref.ts'
import { addOwner, commandOf, newId, submissionOf } from './stored.ts'
import { type DatabaseKind, emptyDatabase, onTrouble } from './stores.ts'

/** A recipe that the stand-in of a builder takes. */
export const RECIPE: Readonly<Record<string, string>> = {
  'mkosi.conf': '[Distribution]\nDistribution=debian\nRelease=trixie\n\n[Output]\nFormat=tar\n',
}

export type RoomOptions = {
  readonly now?: () => Date
  readonly blobBytes?: number
  readonly leaseBytes?: number
  readonly lookEveryMs?: number
  readonly events?: Partial<ServiceEvents>
  /** How long attempts are left to workers that had none of their verification; not at all. */
  readonly spreadMs?: number
  readonly allowedBuilders?: readonly Sha256[]
  readonly heldPerWorker?: number
}

/** What a coordinator that workers speak to consists of, without anything in front of it. */
export class WorkerRoom implements AsyncDisposable {
  readonly store: StoreRoom
  readonly blobs: BlobStore
  readonly ports: WorkerPorts
  /** Removed at the end. */
  readonly folder: string
  readonly ownerId: string
  readonly #held: AsyncDisposableStack
  #sources = 0

  private constructor(o: { store: StoreRoom; ports: WorkerPorts; folder: string; ownerId: string; held: AsyncDisposableStack }) {
    this.store = o.store
    this.blobs = o.ports.blobs
    this.ports = o.ports
    this.folder = o.folder
    this.ownerId = o.ownerId
    this.#held = o.held
  }

  static async open(kind: DatabaseKind, o: RoomOptions = {}): Promise<WorkerRoom> {
    await using opening = new AsyncDisposableStack()
    const folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-workers-'))
    opening.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))
    const place = opening.use(await emptyDatabase(kind))
    const store = opening.use(await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble }))
    const { unitOfWork, reads, notices } = store
    const service = {
      unitOfWork,
      now: o.now ?? (() => new Date()),
      newId,
      events: o.events ?? {},
      spreadMs: o.spreadMs ?? 0,
      allowedBuilders: o.allowedBuilders ?? [],
      ...(o.heldPerWorker === undefined ? {} : { heldPerWorker: o.heldPerWorker }),
    }
    const { lookEveryMs = 250 } = o
    const desk = opening.use(await JobDesk.open({ notices, take: (wanted) => leaseAttempt(service, wanted), lookEveryMs }))
    const given = new GivenBytes({ blobBytes: o.blobBytes ?? 1 << 26, leaseBytes: o.leaseBytes ?? 1 << 27 })
    const blobs = await openBlobFolder(path.join(folder, 'blobs'))
    const ports: WorkerPorts = { ...service, reads, desk, given, blobs }
    const owner = await addOwner(store, 'alice', service.now())
    return new WorkerRoom({ store, ports, folder, ownerId: owner.id, held: opening.move() })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held.disposeAsync()
  }

  /** A folder for a worker's own things. */
  async makeFolder(name: string): Promise<string> {
    const made = path.join(this.folder, name)
    await mkdir(made, { recursive: true, mode: 0o700 })
    return made
  }

  /** Submits a folder with these files, and prepares it as a coordinator does. */
  async submit(
    files: Readonly<Record<string, string>> = {},
    o: { readonly submission?: Partial<Submission>; readonly prepared?: Partial<Prepared> } = {},
  ): Promise<string> {
    const { ports, blobs } = this
    this.#sources += 1
    const folder = await this.makeFolder(`source-${this.#sources}`)
    for (const [name, content] of Object.entries({ ...RECIPE, ...files })) await writeFile(path.join(folder, name), content)
    await using pinned = await pinSource({ kind: 'folder', folder }, { scratch: this.folder, access: OWN_ACCESS })
    const tar = await blobs.put(pinned.tar())
    const reading = readRecipe(pinned.tree, { architecture: 'x86-64', mkosi: '25.3' })
    const source = { kind: 'archive', name: path.basename(folder), path: '.' } as const
    const { verificationId } = await acceptVerification(ports, commandOf(submissionOf(this.ownerId, { source, ...o.submission })))
    await ports.unitOfWork.run((unit) => unit.blobs.refer({ ...tar, verificationId, role: 'source', at: ports.now() }))
    const prepared = { pinned: pinned.pinned, sourceTar: tar.sha256, reading, architecture: 'amd64', lock: null, ...o.prepared }
    await markPrepared(ports, verificationId, prepared)
    return verificationId
  }
}
