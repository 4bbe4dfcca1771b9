import { eq } from 'drizzle-orm'
import type { Events } from '../app/store/store-ports.ts'
import { eventIntakes } from './schema/events.ts'
import type { Session } from './session.ts'

export function eventIntakesOf(session: Session): Pick<Events, 'intake' | 'took'> {
  return {
    intake: (attemptId, lease) =>
      session(async (db) => {
        const begun = { attemptId, lease, next: 1, lines: 0, bytes: 0 }
        // Made first, so that of two who come at once one waits for the other.
        await db.insert(eventIntakes).values(begun).onConflictDoNothing()
        const [found] = await db.select().from(eventIntakes).where(eq(eventIntakes.attemptId, attemptId)).for('update')
        return found?.lease === lease ? found : begun
      }),
    took: ({ attemptId, ...intake }) =>
      session(async (db) => {
        await db.update(eventIntakes).set(intake).where(eq(eventIntakes.attemptId, attemptId))
      }),
  }
}
