import { createHash, type Hash } from 'node:crypto'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { sha256Of } from '../../verifier/model/hex-digest.ts'
import { BLOCK, latin1, paddingAfter } from '../../verifier/tar/bytes.ts'
import { endPadding } from '../../verifier/tar/encode.ts'
import type { TarLimits } from '../../verifier/tar/limits.ts'
import { readTar, type StreamedMember, wholeBody } from '../../verifier/tar/read.ts'
import { plainHeader } from '../../verifier/tar/write.ts'
import { proofFailure } from './failures.ts'
import { type GatheredMember, gatheredProof } from './gathered-proof.ts'
import type { CarriedMember, Proof } from './proof.ts'
import { INDEX_NAME, MAX_INDEX, MAX_MEMBERS, type ProofIndex, type ProofMember } from './proof-index.ts'
import { readIndex } from './read-index.ts'
import { isCarried } from './roles.ts'

/** Takes the bytes of a member that is handed through, all of them. They are what the index says only once `readProof` has come to its end. */
export type Carry = (member: CarriedMember, bytes: AsyncIterable<Uint8Array>) => Promise<void>

export type ReadProof = {
  readonly proof: Proof
  /** Of the whole file. */
  readonly sha256: Sha256
  readonly size: number
}

const GIB = 1024 ** 3
const LIMITS: TarLimits = {
  maxEntries: MAX_MEMBERS + 1,
  maxFileSize: 8 * GIB,
  maxTotalSize: 17 * GIB,
  maxPathLength: 100,
  maxIndexSize: 1 << 20,
  maxHeaderSize: 4096,
  ignoredPaxKeys: [],
  ownerNames: 'consistent',
  holes: 'refused',
}

/**
 * Reads a proof that anybody may have made. A proof has one sequence of bytes: names, order, headers and padding are the ones that
 * `packProof` writes, and the index is the one that the content gives. No name in it decides where anything is put. Nothing that it says is
 * signed until a bundle of it was verified with a signer that is pinned from outside. Failures: `proof-…`, `tar-…`, `json-…` and those of
 * `reviewProof`.
 */
export async function readProof(bytes: AsyncIterable<Uint8Array>, o: { readonly carry?: Carry } = {}): Promise<ReadProof> {
  const hash = createHash('sha256')
  let size = 0
  const members = readTar(seen(), LIMITS)
  try {
    const { index, length } = await readFirst(members)
    const gathered: GatheredMember[] = []
    for (const expected of index.members) {
      const next = await members.next()
      if (next.done === true) throw proofFailure('proof-member-missing', { member: expected.path })
      gathered.push({ member: expected, bytes: await readMember(next.value, { expected, index, carry: o.carry }) })
    }
    const more = await members.next()
    if (more.done !== true) throw unexpected(more.value, index)
    const used = [length, ...index.members.map((one) => one.size)].reduce((sum, one) => sum + BLOCK + one + paddingAfter(one), 0)
    if (size !== used + endPadding(used)) throw proofFailure('proof-padding-other')
    return { proof: gatheredProof(index, gathered), sha256: sha256Of(hash), size }
  } finally {
    await members.return()
  }

  async function* seen(): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of bytes) {
      hash.update(chunk)
      size += chunk.length
      yield chunk
    }
  }
}

async function readFirst(members: AsyncGenerator<StreamedMember, void, void>): Promise<{ index: ProofIndex; length: number }> {
  const { done, value: first } = await members.next().catch((cause: unknown) => {
    const noTar = cause instanceof Failure && (cause.code === 'tar-format-unknown' || cause.code === 'tar-truncated')
    throw noTar ? proofFailure('proof-not-a-proof') : cause
  })
  if (done === true || nameOf(first) !== INDEX_NAME) throw proofFailure('proof-not-a-proof')
  requirePlain(first, INDEX_NAME)
  if (first.size > MAX_INDEX) throw proofFailure('proof-index-too-large')
  return { index: readIndex(await wholeBody(first.body)), length: first.size }
}

/** Null for a member that is handed through. */
async function readMember(
  member: StreamedMember,
  o: { readonly expected: ProofMember; readonly index: ProofIndex; readonly carry: Carry | undefined },
): Promise<Uint8Array | null> {
  const { path, role, sha256, size } = o.expected
  if (nameOf(member) !== path) throw unexpected(member, o.index)
  requirePlain(member, path)
  if (member.size !== size) throw proofFailure('proof-member-size', { member: path })
  const hash = createHash('sha256')
  const body = hashing(member.body, hash)
  let bytes: Uint8Array | null = null
  if (!isCarried(role)) bytes = await wholeBody(body)
  else if (o.carry === undefined) for await (const _ of body);
  else await o.carry({ role, sha256, size }, body)
  if (hash.digest('hex') !== sha256) throw proofFailure('proof-member-differs', { member: path })
  return bytes
}

function unexpected(member: StreamedMember, { members }: ProofIndex): Error {
  const listed = members.find(({ path }) => path === nameOf(member))
  return listed === undefined ? proofFailure('proof-member-unlisted') : proofFailure('proof-member-order', { member: listed.path })
}

/** A plain file whose header is written as ours are: no owner, no time, no attributes, no second place for its name. */
function requirePlain(member: StreamedMember, path: string): void {
  if (member.type !== 'file') throw proofFailure('proof-member-not-file', { member: path })
  const header = plainHeader({ path, size: member.size })
  if (!Buffer.from(member.rawHeader).equals(header)) throw proofFailure('proof-header-other', { member: path })
}

function nameOf(member: StreamedMember): string {
  return latin1(member.path)
}

async function* hashing(bytes: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of bytes) {
    hash.update(chunk)
    yield chunk
  }
}
