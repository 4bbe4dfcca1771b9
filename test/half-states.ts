import { type SQL, sql } from 'drizzle-orm'
import type { StoreRoom } from '../src/store-room.ts'
import { rowsOf } from './rows.ts'

/** Things that one transaction makes together and of which only a part is there. */
export async function halfStates({ database }: Pick<StoreRoom, 'database'>): Promise<string[]> {
  const queries = {
    'an open attempt without a job': sql`select a.id from attempts a where a.state <> 'committed' and not exists (
      select 1 from queue.job j where j.data->>'attemptId' = a.id and j.state in ('created', 'retry', 'active'))`,
    'a job without an attempt': sql`select j.data->>'attemptId' as id from queue.job j where j.name like 'attempt-%' and not exists (
      select 1 from attempts a where a.id = j.data->>'attemptId')`,
    'a verification to be prepared without a job': sql`select v.id from verifications v where v.state = 'accepted' and not exists (
      select 1 from queue.job j where j.name = 'preparation' and j.data->>'verificationId' = v.id and j.state in ('created', 'retry', 'active'))`,
    'a verification to be decided without a job': sql`select v.id from verifications v where v.state = 'running' and v.attempts_committed
      and not exists (select 1 from queue.job j where j.name = 'decision' and j.data->>'verificationId' = v.id
        and j.state in ('created', 'retry', 'active'))`,
    'a job without a verification': sql`select j.data->>'verificationId' as id from queue.job j where j.name in ('preparation', 'decision')
      and not exists (select 1 from verifications v where v.id = j.data->>'verificationId')`,
    'a running verification without an attempt': sql`select v.id from verifications v where v.state = 'running' and not exists (
      select 1 from attempts a where a.verification_id = v.id)`,
    'a verification that is prepared without attempts, or not and has some': sql`select v.id from verifications v
      where v.verdict is distinct from 'refused'
      and (v.source_tar is not null) <> exists (select 1 from attempts a where a.verification_id = v.id)`,
    'committed attempts whose verification does not say so': sql`select v.id from verifications v where v.state = 'running'
      and not v.attempts_committed and v.attempts_wanted = (
        select count(*) from attempts a where a.verification_id = v.id and a.state = 'committed')`,
    'a leased attempt whose job nobody has': sql`select a.id from attempts a join queue.job j on j.id::text = a.id
      and j.name = 'attempt-' || a.route where a.state = 'leased' and j.state = 'created'`,
    'an ended try that is not written down': sql`select a.id from attempts a where a.tries - (a.state = 'leased')::int <> (
      select count(*) from attempt_tries t where t.attempt_id = a.id)`,
    'an open attempt of what has ended': sql`select a.id from attempts a join verifications v on v.id = a.verification_id
      where a.state <> 'committed' and v.state in ('finished', 'cancelled')`,
    'replays that were not opened': sql`select v.id from verifications v join attempts a on a.verification_id = v.id and a.number = 1
      where v.state = 'running' and v.lock is null and a.outcome in ('built', 'build-failed') and v.attempts_wanted <> (
        select count(*) from attempts o where o.verification_id = v.id)`,
    'claims to be shown whose digests are not found': sql`select v.id from verifications v where v.attempts_committed and v.state <> 'cancelled'
      and not exists (select 1 from subjects s where s.verification_id = v.id and s.kind = 'claim')`,
    'a verdict that is not known by its digests': sql`select distinct v.id from verifications v join subjects s on s.verification_id = v.id
      left join known_subjects k on k.sha256 = s.sha256 and k.key = s.key
      where v.state = 'finished' and k.count is distinct from (select count(distinct o.id) from verifications o join subjects t
        on t.verification_id = o.id where o.state = 'finished' and t.sha256 = s.sha256 and t.key = s.key)`,
    'a statement to be signed without a job': sql`select b.verification_id as id from signing_backlog b where not exists (
      select 1 from queue.job j where j.name = 'signing' and j.data->>'verificationId' = b.verification_id)`,
    'a summary to be signed without a job': sql`select s.app_id as id from gate_standings s where s.admitted and s.signed_result is distinct from s.result
      and not exists (select 1 from queue.job j where j.name = 'summary' and j.data->>'appId' = s.app_id and j.data->>'composeHash' = s.compose_hash
      and j.data->>'policySha256' = s.policy_sha256 and j.state in ('created', 'retry', 'active'))`,
    'a verdict whose statements are not planned': sql`select v.id from verifications v where v.verdict = 'reproduced' and not exists (
      select 1 from signing_backlog b where b.verification_id = v.id) and not exists (
      select 1 from attestations t where t.verification_id = v.id)`,
    'a verdict whose report is not kept': sql`select v.id from verifications v where v.report is not null and not exists (
      select 1 from blob_references r where r.verification_id = v.id and r.sha256 = v.report)`,
  }
  return await foundBy({ database }, queries)
}

/** What each query finds, under its name. */
export async function foundBy({ database }: Pick<StoreRoom, 'database'>, queries: Readonly<Record<string, SQL>>): Promise<string[]> {
  const found: string[] = []
  for (const [what, query] of Object.entries(queries)) {
    const rows = await rowsOf<{ id: string }>({ database }, query)
    found.push(...rows.map(({ id }) => `${what}: ${id}`))
  }
  return found
}
