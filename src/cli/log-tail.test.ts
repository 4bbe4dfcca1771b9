import { expect, it } from 'vitest'
import type { AttemptEvent, EventBody } from '../../verifier/model/event.ts'
import { LogTail } from './log-tail.ts'

function listening() {
  const passed: AttemptEvent[] = []
  const tail = new LogTail()
  const emit = tail.before((event) => void passed.push(event))
  return { tail, passed, tell: (body: EventBody, attempt: number): void => emit({ ...body, attempt, seq: 1, at: '' } as AttemptEvent) }
}

it('keeps the last lines of each attempt, and hands every event on', () => {
  const { tail, passed, tell } = listening()
  for (let line = 1; line <= 25; line += 1) tell({ kind: 'log', line: `${line}` }, 2)
  tell({ kind: 'log', line: 'one' }, 1)
  tell({ kind: 'stage-started', stage: 'collect' }, 1)
  expect(tail.attempts()).toEqual([1, 2])
  expect(tail.of(1)).toEqual(['one'])
  expect(tail.of(2)).toEqual(Array.from({ length: 20 }, (_, index) => `${index + 6}`))
  expect(passed).toHaveLength(27)
})

it('forgets what an attempt wrote before it was tried again, and what no attempt wrote', () => {
  const { tail, tell } = listening()
  tell({ kind: 'log', line: 'of the builder image' }, 0)
  tell({ kind: 'stage-started', stage: 'start' }, 1)
  tell({ kind: 'log', line: 'of an earlier try' }, 1)
  tell({ kind: 'stage-started', stage: 'start' }, 1)
  tell({ kind: 'log', line: 'of this try' }, 1)
  expect(tail.attempts()).toEqual([1])
  expect([tail.of(1), tail.of(0), tail.of(3)]).toEqual([['of this try'], [], []])
})
