import { expect, it } from 'vitest'
import { EventCount } from './event-count.ts'
import { CHARACTERS, submissionPlan } from './submission-plan.ts'
import { submitAll } from './submit-all.ts'

it('a submission that comes to nothing is no submission less, it is the end', async () => {
  const published: number[] = []
  const submitting = submitAll({
    plan: submissionPlan({ seed: 7, jobs: 6, owners: 1, weights: CHARACTERS, buildMs: 1 }),
    workshop: {
      publish: async ({ number }) => {
        published.push(number)
        throw new Error(`not published: ${number}`)
      },
    },
    receiver: { url: 'https://nowhere.example/' },
    urls: [],
    tokens: [],
    events: new EventCount(),
    atOnce: 1,
    progress: () => 1,
    signal: new AbortController().signal,
  })
  await expect(submitting).rejects.toThrow('not published: 1')
  expect(published).toEqual([1])
})
