import { expect, it } from 'vitest'
import { stalePages } from './generated-pages.ts'

it('the pages of docs/ that are made from code are current (npm run generate makes them)', async () => {
  expect(await stalePages()).toEqual([])
})
