import { StageClock } from '../../../verifier/attempt/stage-clock.ts'
import type { StageName } from '../../../verifier/model/attempt.ts'
import type { BlobStore, StoredBlob } from '../../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import type { RecipeReading } from '../../../verifier/model/recipe.ts'
import type { SourceTree } from '../../../verifier/model/source-tree.ts'
import { debianArchitecture, mkosiArchitecture } from '../../../verifier/recipe/debian-architecture.ts'
import { readRecipe } from '../../../verifier/recipe/read-recipe.ts'
import { ARCHITECTURES, type Prepared, type StoredBuilder } from '../store/records.ts'
import type { HeldVerification } from '../store/store-ports.ts'
import { type GivenLock, givenLock } from './given-lock.ts'
import { type PinPorts, pinSubmission } from './pin-submission.ts'
import type { VerificationEvents } from './verification-events.ts'

export type SourcePorts = PinPorts & {
  readonly blobs: BlobStore
  /** What recipes are read for where neither they nor a builder say: Debian's word, and the version of mkosi. */
  readonly reader: { readonly architecture: string; readonly mkosi: string }
  readonly findBuilder: (digest: Sha256) => Promise<StoredBuilder | undefined>
}

export type PreparedSource = {
  readonly prepared: Prepared
  readonly tar: StoredBlob
  readonly lock: GivenLock | null
  /** A rule refuses the recipe: nothing of it is built. */
  readonly refused: boolean
}

/**
 * Pins a submission's source, reads its recipe and the lock that came with it, and puts all that attempts need of them into the store.
 * What happens is told in order. Failures: those of `preparation-failures.ts`.
 */
export async function prepareSource(
  ports: SourcePorts,
  { submission }: Pick<HeldVerification, 'submission'>,
  o: { readonly scratch: string; readonly events: Pick<VerificationEvents, 'emit' | 'show'>; readonly signal: AbortSignal },
): Promise<PreparedSource> {
  const { events, scratch, signal } = o
  const inStage = async <T>(name: StageName, work: () => Promise<T>): Promise<T> => {
    const stages = new StageClock(events.emit)
    stages.begin(name)
    try {
      await events.show()
      return await work()
    } finally {
      stages.end()
    }
  }
  const reader = await readerFor(ports, submission.builder)
  await using pinned = await inStage('pin', () => pinSubmission(ports, submission, { scratch, signal }))
  const { reading, architecture } = await inStage('recipe', async () => readFor(pinned.tree, reader))
  for (const finding of reading.findings) events.emit({ kind: 'finding', finding })
  const tar = await ports.blobs.put(pinned.tar())
  const refused = reading.findings.some(({ severity }) => severity === 'refuse')
  // A lock decides nothing about a recipe that is not built.
  const lock = refused ? null : await givenLock(ports.blobs, submission)
  signal.throwIfAborted()
  const prepared = { pinned: pinned.pinned, sourceTar: tar.sha256, reading, architecture, lock: lock?.sha256 ?? null }
  return { prepared, tar, lock, refused }
}

type Reader = { readonly architecture: string; readonly mkosi: string /** The recipe cannot choose another. */; readonly bound: boolean }

async function readerFor({ reader, findBuilder }: SourcePorts, wanted: Sha256 | null): Promise<Reader> {
  if (wanted === null) return { ...reader, bound: false }
  const builder = await findBuilder(wanted)
  if (builder !== undefined) return { architecture: builder.architecture, mkosi: builder.mkosi, bound: true }
  throw new Failure({
    code: 'builder-unknown',
    message: 'the service does not know the builder that was asked for',
    hint: 'ask for one that it lists (GET /v1/builders), or for none',
  })
}

/** What a recipe says can depend on what it is read for: one that states an architecture is read for that. */
function readFor(tree: SourceTree, { architecture, mkosi, bound }: Reader): { reading: RecipeReading; architecture: string } {
  const read = (debian: string): RecipeReading => readRecipe(tree, { architecture: mkosiArchitecture(debian), mkosi })
  const first = read(architecture)
  const stated = first.recipe.architecture === null ? architecture : debianArchitecture(first.recipe.architecture)
  if (bound || stated === architecture || !ARCHITECTURES.some((one) => one === stated)) return { reading: first, architecture: stated }
  return { reading: read(stated), architecture: stated }
}
