import { expect, it } from 'vitest'
import { databaseFailure, isUnreachable } from './failures.ts'

const gone = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })

it.each([
  ['as it was thrown', gone],
  ['inside of what drizzle throws', new Error('Failed query', { cause: gone })],
  ['as the queue tells of it, a copy that is no error', { code: gone.code, message: gone.message, stack: gone.stack, queue: 'signing' }],
  ['of a server that starts', { code: '57P03', message: 'the database system is starting up' }],
])('a lost connection is known %s', (_how, error) => {
  expect(isUnreachable(error)).toBe(true)
  expect(databaseFailure(error)).toMatchObject({ code: 'database-unreachable', retryable: true })
})

it.each([[null], [undefined], ['57P03'], [{}], [{ code: 57 }], [{ code: 'x' }], [new Error('57P03')]])('%s is none', (error) => {
  expect(databaseFailure(error)).toMatchObject({ code: 'database-failed', data: { sqlstate: null, constraint: null } })
})
