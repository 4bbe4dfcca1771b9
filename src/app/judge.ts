import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { Explained } from '../../verifier/attempt/report.ts'
import { oneChunk } from '../../verifier/bytes/one-chunk.ts'
import { type Claimed, readClaimed } from '../../verifier/compare/claimed.ts'
import { compareAttempts, compareWithClaims } from '../../verifier/compare/judge.ts'
import { type BuiltImage, judgeClaimed } from '../../verifier/compare/judge-claimed.ts'
import { packOci } from '../../verifier/compare/oci-image.ts'
import { explain, type Side } from '../../verifier/explain/explain.ts'
import type { Artifact, Attempt } from '../../verifier/model/attempt.ts'
import type { Claim } from '../../verifier/model/claim.ts'
import type { Comparison } from '../../verifier/model/comparison.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { encodeDocument } from '../../verifier/model/document.ts'
import { Explanation } from '../../verifier/model/explanation.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { Recipe } from '../../verifier/model/recipe.ts'
import type { Ports } from './ports.ts'

export type Judged = { readonly comparisons: readonly Comparison[]; readonly explained: Explained }

type JudgePorts = Pick<Ports, 'blobs' | 'fetchClaimed' | 'outputBytes'>

/** What was rebuilt, as far as it is held against anything: by one program, or by workers that reported it. */
export type Judgeable = {
  readonly reading: { readonly recipe: Pick<Recipe, 'sourceDateEpoch' | 'imageConfig'> }
  readonly architecture: string
  readonly attempts: { readonly results: readonly { readonly attempt: Attempt; readonly files: ArtifactFiles }[] }
}

/** Files of artifacts by their names, as far as they are at hand. */
export type ArtifactFiles = { get(artifact: string): string | undefined | Promise<string | undefined> }

export type JudgeOptions = {
  readonly claims: readonly Claim[]
  /** File, URL or image in a registry with the claimed bytes, for the claims that have no location of their own. */
  readonly claimed: string | null
  /** Why nothing is looked into that differs: the digests alone decide; null: it is, as far as the bytes are at hand. */
  readonly unexplained?: string | null
  readonly scratch: string
  readonly signal: AbortSignal
}

/** Holds attempts against each other and against the claims, and explains what differs as far as the bytes are at hand. */
export async function judge(ports: JudgePorts, rebuilt: Judgeable, options: JudgeOptions): Promise<Judged> {
  const attempts = rebuilt.attempts.results.map(({ attempt }) => attempt)
  const between = compareAttempts(attempts)
  const against = compareWithClaims(options.claims, attempts)
  const { unexplained = null } = options
  const open = options.claims.filter((_, index) => against.some((one) => one.claim === index && one.result === 'different'))
  const apart = between.find(({ result }) => result === 'different')
  if (unexplained !== null && (apart !== undefined || open.length > 0))
    return { comparisons: [...between, ...against], explained: skipped(unexplained) }
  if (apart !== undefined)
    return { comparisons: [...between, ...against], explained: await explainAttempts(ports, rebuilt, between, options) }
  if (open.length === 0) return { comparisons: [...between, ...against], explained: NOTHING }
  return await judgeClaimedBytes(ports, rebuilt, { between, against, options })
}

const NOTHING: Explained = { findings: [], state: 'complete', reason: null, documents: [] }

function skipped(reason: string): Explained {
  return { findings: [], state: 'skip', reason, documents: [] }
}

/** Attempts that disagree: every differing artifact, the first attempt on the left. */
async function explainAttempts(
  ports: JudgePorts,
  rebuilt: Judgeable,
  between: readonly Comparison[],
  { signal }: JudgeOptions,
): Promise<Explained> {
  const pairs = between.filter(({ result }) => result === 'different').slice(0, MAX_EXPLAINED)
  const explanations: Explanation[] = []
  for (const { left, right } of pairs) {
    const sides = [left, right].map((side) => builtSide(ports, rebuilt, side?.attempt ?? 0, side?.artifact ?? ''))
    const [first, second] = await Promise.all(sides)
    if (first !== undefined && second !== undefined) explanations.push(await explainOrSkip({ left: first, right: second, signal }))
  }
  return await gathered(ports, explanations)
}

/** The verdict rests on digests that are known by now: whatever goes wrong while a difference is looked into leaves it unexplained, no more. */
async function explainOrSkip(o: Parameters<typeof explain>[0] & { readonly signal: AbortSignal }): Promise<Explanation> {
  try {
    return await explain(o)
  } catch (error) {
    o.signal.throwIfAborted()
    const reason = error instanceof Failure ? `${error.code}: ${error.message}` : 'something went wrong inside bitwitness (internal)'
    return { ...(await explain({ ...o, left: bare(o.left), right: bare(o.right) })), state: 'skip', reason }
  }
}

/** A side of which nothing is at hand. */
function bare({ label }: Side): Side {
  return { label, manifest: null, file: null }
}

/** Artifacts looked into, at most; what differs beyond that is in the comparisons. */
const MAX_EXPLAINED = 8

async function judgeClaimedBytes(
  ports: JudgePorts,
  rebuilt: Judgeable,
  seen: { readonly between: readonly Comparison[]; readonly against: readonly Comparison[]; readonly options: JudgeOptions },
): Promise<Judged> {
  const { claims, claimed, scratch, signal } = seen.options
  const against = [...seen.against]
  const explanations: Explanation[] = []
  const missing: string[] = []
  for (const [index, claim] of claims.entries()) {
    const differing = against.filter((one) => one.claim === index && one.result === 'different')
    if (differing.length === 0) continue
    const location = claim.location ?? claimed
    if (location === null) {
      missing.push(`sha256:${claim.sha256}`)
      continue
    }
    const folder = path.join(scratch, `claim-${index}`)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const brought = await claimedBytes(ports, { claim, location, folder, signal })
    if (brought.kind === 'unusable') {
      missing.push(`sha256:${claim.sha256} (${brought.reason})`)
      continue
    }
    const { file, read } = brought
    for (const one of differing) {
      const held = heldBy(rebuilt, one)
      if (held === undefined) continue
      against[against.indexOf(one)] = judgeClaimed(read, {
        claim,
        index,
        attempt: held.attempt.number,
        artifact: held.artifact,
        image: builtImage(rebuilt, held.artifact),
      })
    }
    const first = against.find((one) => one.claim === index && one.tier !== 'bit-exact')
    const held = first === undefined ? undefined : heldBy(rebuilt, first)
    const ours = held === undefined ? undefined : await builtSide(ports, rebuilt, held.attempt.number, held.artifact.name)
    if (first === undefined || ours === undefined) continue
    const archive = { transformations: first.transformations }
    explanations.push(await explainOrSkip({ left: claimedSide(ports, read, file), right: ours, archive, signal }))
  }
  const explained = await gathered(ports, explanations)
  const comparisons = [...seen.between, ...against]
  if (missing.length === 0) return { comparisons, explained }
  return {
    comparisons,
    explained: { ...explained, ...skipped(`the claimed bytes are not at hand: ${missing.join(', ')}`), ...found(explained) },
  }
}

type Brought =
  | { readonly kind: 'read'; readonly file: string; readonly read: Claimed }
  | { readonly kind: 'unusable'; readonly reason: string }

/**
 * Bytes that cannot be had, or are not the claimed ones, explain nothing; that the claim is not what was built stands all the same, or its
 * publisher could take a verdict back by how it serves them. Rejects only where this machine is what fails.
 */
async function claimedBytes(
  ports: JudgePorts,
  { claim, location, folder, signal }: { claim: Claim; location: string; folder: string; signal: AbortSignal },
): Promise<Brought> {
  try {
    const file = await ports.fetchClaimed({ location, kind: claim.kind, folder, signal })
    const { blobs, outputBytes: maxBytes } = ports
    return { kind: 'read', file, read: await readClaimed({ claim, path: file, scratch: folder, maxBytes, blobs, signal }) }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof Failure) || error.audience !== 'caller') throw error
    return { kind: 'unusable', reason: `${error.code}: ${error.message}` }
  }
}

function found({ findings, documents }: Explained): Pick<Explained, 'findings' | 'documents'> {
  return { findings, documents }
}

type Held = { readonly attempt: Attempt; readonly artifact: Artifact }

function heldBy(rebuilt: Judgeable, comparison: Comparison): Held | undefined {
  const result = rebuilt.attempts.results.find(({ attempt }) => attempt.number === comparison.left.attempt)
  const artifact = result?.attempt.artifacts.find(({ name }) => name === comparison.left.artifact)
  return result === undefined || artifact === undefined ? undefined : { attempt: result.attempt, artifact }
}

/** The image that is packed from a tree, with its bytes; null for what is no tree. */
function builtImage({ reading, architecture }: Judgeable, artifact: Artifact): BuiltImage | null {
  if (artifact.format !== 'tar' && artifact.format !== 'directory') return null
  const created = reading.recipe.sourceDateEpoch ?? 0
  const image = packOci({ layer: artifact, created, architecture, config: reading.recipe.imageConfig })
  return { manifest: image.manifest.bytes, config: image.config.bytes, layers: [artifact.sha256] }
}

async function builtSide({ blobs }: JudgePorts, rebuilt: Judgeable, number: number, name: string): Promise<Side | undefined> {
  const result = rebuilt.attempts.results.find(({ attempt }) => attempt.number === number)
  const artifact = result?.attempt.artifacts.find((one) => one.name === name)
  if (result === undefined || artifact === undefined) return undefined
  return {
    label: `attempt ${number}: ${name}`,
    manifest: artifact.treeManifest === null ? null : blobBytes(blobs, artifact.treeManifest),
    file: (await result.files.get(name)) ?? null,
  }
}

function claimedSide({ blobs }: JudgePorts, claimed: Claimed, file: string): Side {
  const tar = claimed.kind === 'file' ? claimed.file : claimed.layers.length === 1 ? claimed.layers[0] : undefined
  const manifest = tar?.canonical?.treeManifest ?? null
  // The bytes of a compressed file, or of an image's layer, are not lying about uncompressed: the manifests alone are compared then.
  const plain = claimed.kind === 'file' && claimed.file.compression === 'none'
  return { label: 'the claim', manifest: manifest === null ? null : blobBytes(blobs, manifest), file: plain ? file : null }
}

async function* blobBytes(blobs: Ports['blobs'], sha256: Sha256): AsyncGenerator<Uint8Array, void, void> {
  yield* await blobs.open(sha256)
}

async function gathered({ blobs }: JudgePorts, explanations: readonly Explanation[]): Promise<Explained> {
  const documents: Sha256[] = []
  for (const explanation of explanations) documents.push((await blobs.put(oneChunk(encodeDocument(Explanation, explanation)))).sha256)
  const short = explanations.find(({ state }) => state === 'truncated') ?? explanations.find(({ state }) => state === 'skip')
  return {
    findings: explanations.flatMap(({ findings }) => findings),
    state: short?.state ?? 'complete',
    reason: short?.reason ?? null,
    documents,
  }
}
