import { inArray, sql } from 'drizzle-orm'
import { expect, inject, it } from 'vitest'
import { owners } from '../src/db/schema/owners.ts'
import { StoreRoom } from '../src/store-room.ts'
import { emptyDatabase, onTrouble } from './stores.ts'

const KEPT = sql`select statement, custom_plans::int, generic_plans::int from pg_prepared_statements where statement like '%"subject"%'`

// Without a server there is nothing to see, and the suite says so elsewhere.
it.skipIf(inject('postgres') === null)(
  'a statement is kept by its connection and planned anew each time, and one with a long list is not',
  async () => {
    await using place = await emptyDatabase('postgres')
    await using store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    await store.database.drizzle.transaction(async (tx) => {
      const read = (ids: readonly string[]) =>
        tx
          .select({ subject: owners.subject })
          .from(owners)
          .where(inArray(owners.id, [...ids]))
      // After the fifth time the server may go over to a plan for any value.
      for (let time = 0; time < 8; time += 1) expect(await read(['a', 'b'])).toEqual([])
      expect(await read(Array.from({ length: 33 }, (_, number) => `owner ${number}`))).toEqual([])
      expect([...((await tx.execute(KEPT)) as unknown as Iterable<unknown>)]).toEqual([
        {
          statement: 'select "subject" from "owners" where "owners"."id" in ($1, $2)',
          custom_plans: 8,
          generic_plans: 0,
        },
      ])
    })
  },
)
