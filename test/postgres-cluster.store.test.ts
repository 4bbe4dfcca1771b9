import postgres from 'postgres'
import { expect, it } from 'vitest'
import { findPostgres, startPostgres } from './postgres-cluster.ts'

const programs = await findPostgres()

it.skipIf(programs === undefined)('a server that is killed comes back with all that was committed', async () => {
  await using cluster = await startPostgres(programs ?? '')
  const sql = postgres(cluster.url, { max: 4, onnotice: () => {}, fetch_types: false })
  await sql`create table kept (number integer)`
  for (let kill = 1; kill <= 3; kill += 1) {
    await sql`insert into kept values (${kill})`
    const met = sql`select pg_sleep(60)`.then(
      () => 'slept',
      () => 'broke off',
    )
    const atWork = () => sql`select 1 from pg_stat_activity where wait_event = 'PgSleep'`
    while ((await atWork()).length === 0);
    await cluster.kill()
    await cluster.start()
    expect(await met).toBe('broke off')
    const kept = await sql<{ number: number }[]>`select number from kept order by number`
    expect(kept.map(({ number }) => number)).toEqual(Array.from({ length: kill }, (_, at) => at + 1))
  }
  await sql.end({ timeout: 1 })
})
