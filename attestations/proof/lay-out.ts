import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { encodeDocument } from '../../verifier/model/document.ts'
import { KIND_NAMES } from '../statement/predicate-types.ts'
import { proofFailure } from './failures.ts'
import { instructions } from './instructions.ts'
import type { Carried, CarriedMember, Proof, ProofAttestation } from './proof.ts'
import { MAX_INDEX, MAX_MEMBERS, PROOF_SCHEMA, ProofIndex, type ProofMember } from './proof-index.ts'
import { type CarriedRole, isCarried, nameOf, ROLE_LIMITS, type Role } from './roles.ts'

/** What is held of all members in memory, at most; bytes. */
export const MAX_HELD = 192 << 20

/** A member with its content, or what it is to be had by. */
export type LaidOut = { readonly member: ProofMember; readonly content: Uint8Array | CarriedMember }

/**
 * The one layout of a proof: equal content gives equal members in equal order, and so one index. Failures: `proof-member-too-large`,
 * `proof-too-large`, `proof-index-too-large`.
 */
export function layOut(proof: Proof): { readonly index: Uint8Array; readonly members: readonly LaidOut[] } {
  const { content, attestations } = proof
  const members: readonly LaidOut[] = [
    held('instructions', instructions()),
    held('report', content.report),
    ...attested(attestations),
    ...optional('public-key', content.publicKey),
    ...optional('trusted-root', content.trustedRoot),
    ...optional('lock', content.lock),
    ...optional('builder', content.builder?.description ?? null),
    ...optional('builder-lock', content.builder?.lock ?? null),
    ...optional('sbom', content.sbom),
    ...content.treeManifests
      .toSorted((a, b) => (a.sha256 < b.sha256 ? -1 : 1))
      .map((one) => carried('tree-manifest', `manifests/${one.sha256}.txt`, one)),
    ...(content.source === null ? [] : [carried('source', nameOf('source'), content.source)]),
    ...(content.inputs === null ? [] : [carried('inputs', nameOf('inputs'), content.inputs)]),
  ]
  requireLimits(members.map(({ member }) => member))
  const index = Buffer.from(encodeDocument(ProofIndex, { schema: PROOF_SCHEMA, members: members.map(({ member }) => member) }))
  if (index.length > MAX_INDEX) throw proofFailure('proof-index-too-large')
  return { index, members }
}

/** Failures: `proof-too-large`, `proof-member-too-large`. */
export function requireLimits(members: readonly ProofMember[]): void {
  for (const { role, path, size } of members) if (size > ROLE_LIMITS[role]) throw proofFailure('proof-member-too-large', { member: path })
  const held = members.filter(({ role }) => !isCarried(role)).reduce((sum, { size }) => sum + size, 0)
  if (members.length > MAX_MEMBERS || held > MAX_HELD) throw proofFailure('proof-too-large')
}

type Plain = Exclude<Role, 'bundle' | 'statement' | CarriedRole>

function held(role: Plain, content: Uint8Array): LaidOut {
  return { member: { role, path: nameOf(role), sha256: digestOf(content), size: content.length }, content }
}

function optional(role: Plain, content: Uint8Array | null): LaidOut[] {
  return content === null ? [] : [held(role, content)]
}

function carried(role: CarriedRole, path: string, { sha256, size }: Carried): LaidOut {
  return { member: { role, path, sha256, size }, content: { role, sha256, size } }
}

/** Each bundle with its statement behind it. */
function attested(attestations: readonly ProofAttestation[]): LaidOut[] {
  const seen = new Map<string, number>()
  return attestations.flatMap(({ bundle, statement, sha256, predicateType, subjects }): LaidOut[] => {
    const kind = KIND_NAMES.get(predicateType) ?? 'other'
    const number = (seen.get(kind) ?? 0) + 1
    seen.set(kind, number)
    const base = `attestations/${kind}${number === 1 ? '' : `-${number}`}`
    const about = { predicateType, subjects: subjects.map((subject) => ({ ...subject })) }
    return [
      { member: { role: 'bundle', path: `${base}.sigstore.json`, sha256, size: bundle.length, ...about }, content: bundle },
      {
        member: { role: 'statement', path: `${base}.statement.json`, sha256: digestOf(statement), size: statement.length, ...about },
        content: statement,
      },
    ]
  })
}
