import { expect, it } from 'vitest'
import type { EventBody } from '../model/event.ts'
import { StageClock } from './stage-clock.ts'

it('tells all bytes of a stage before its end, however late the last of them came', () => {
  const events: EventBody[] = []
  const clock = new StageClock((event) => void events.push(event))
  clock.begin('collect')
  for (const bytes of [10, 20, 30]) clock.moved(bytes)
  clock.end()
  expect(events.slice(-2)).toMatchObject([
    { kind: 'bytes', stage: 'collect', done: 60, total: null },
    { kind: 'stage-ended', stage: 'collect' },
  ])
  expect(clock.stages).toMatchObject([{ name: 'collect', bytes: 60 }])
})

it('tells no bytes of a stage that moved none', () => {
  const events: EventBody[] = []
  const clock = new StageClock((event) => void events.push(event))
  clock.begin('pin')
  clock.end()
  expect(events.map(({ kind }) => kind)).toEqual(['stage-started', 'stage-ended'])
})
