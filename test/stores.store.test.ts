import { expect, inject, it } from 'vitest'
import { databases } from './stores.ts'

it('runs on the embedded database and on a server', ({ skip }) => {
  if (inject('postgres') === null) return skip('PostgreSQL is not installed: make store brings it')
  expect(databases()).toEqual(['pglite', 'postgres'])
})
