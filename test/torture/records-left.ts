import { sql } from 'drizzle-orm'
import { parseReport } from '../../attestations/statement/parse-report.ts'
import { statementsOf } from '../../attestations/statement/statements.ts'
import { verifyAttestation } from '../../attestations/verify/verify-attestation.ts'
import { MAX_TRIES } from '../../src/app/lifecycle/attempt-state.ts'
import type { Verification } from '../../src/app/store/records.ts'
import type { StoreRoom } from '../../src/store-room.ts'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import { parseSha256, type Sha256 } from '../../verifier/model/digest.ts'
import { foundBy, halfStates } from '../half-states.ts'

/** What must not be found in the store once everything has come to its end. */
export async function wrongRecords(store: StoreRoom): Promise<readonly string[]> {
  const queries = {
    'a verification that is not over': sql`select id from verifications where state not in ('finished', 'cancelled')`,
    'an attempt that is not over': sql`select id from attempts where state <> 'committed'`,
    'an attempt that was tried too often': sql`select id from attempts where tries > ${sql.raw(String(MAX_TRIES))}`,
    'a lease': sql`select id from attempts where lease_expires_at is not null`,
    'tries that are not all written down': sql`select a.id from attempts a left join attempt_tries t on t.attempt_id = a.id
      group by a.id, a.tries having count(t.number) <> a.tries or coalesce(max(t.number), 0) <> a.tries`,
    'a committed attempt whose tries do not say so': sql`select a.id from attempts a where a.outcome not in ('infrastructure', 'cancelled')
      and a.tries > 0 and (select count(*) from attempt_tries t where t.attempt_id = a.id and t.ending = 'committed') <> 1`,
    'events with a gap': sql`select verification_id as id from events group by verification_id
      having min(seq) <> 1 or max(seq) <> count(*)`,
    'a job': sql`select name || ' ' || state::text || ' ' || data::text as id from queue.job where state in ('created', 'retry', 'active')`,
    'a statement that is not signed': sql`select verification_id as id from signing_backlog`,
    'two attestations of one kind': sql`select verification_id as id from attestations
      group by verification_id, predicate_type having count(*) > 1`,
  }
  return [...(await foundBy(store, queries)), ...(await halfStates(store))]
}

export type Evidence = { readonly store: StoreRoom; readonly blobs: BlobStore; readonly publicKey: string }

/** Each verdict has exactly the attestations that its report gives rise to, and each of them verifies. */
export async function wrongAttestations(
  { store, blobs, publicKey }: Evidence,
  { id, report, verdict }: Verification,
): Promise<readonly string[]> {
  const signed = await store.reads.attestations.of(id)
  if (report === null || verdict === 'undecided' || verdict === null)
    return signed.map(({ predicateType }) => `${id}: ${predicateType} about nothing`)
  const said = parseReport(JSON.parse(await textOf(blobs, report)))
  const context = { builderBase: 'urn:any', owner: null, operator: null, worker: null, invocationId: 'urn:uuid:0', reportDigest: report }
  const planned = statementsOf(said, context)
  const [are, should] = [signed, planned].map((some) =>
    some
      .map(({ predicateType }) => predicateType)
      .toSorted()
      .join(', '),
  )
  if (are !== should) return [`${id}: attested is ${are}, and should be ${should}`]
  const found: string[] = []
  for (const { predicateType, bundle } of signed) {
    const [subject] = planned.find((one) => one.predicateType === predicateType)?.subject ?? []
    const { verdict: verified, checks } = verifyAttestation({
      bundle: Buffer.from(await textOf(blobs, bundle)),
      trustedRoot: null,
      policy: { signer: { kind: 'key', publicKeys: [publicKey] }, predicateType, artifact: parseSha256(subject?.digest.sha256 ?? '') },
      now: new Date(),
    })
    if (verified !== 'verified') found.push(`${id}: ${predicateType} does not verify: ${JSON.stringify(checks)}`)
  }
  return found
}

async function textOf(blobs: BlobStore, sha256: Sha256): Promise<string> {
  return Buffer.concat(await Array.fromAsync(await blobs.open(sha256))).toString('utf8')
}
