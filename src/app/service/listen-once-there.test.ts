import { expect, it } from 'vitest'
import { listenOnceThere } from './listen-once-there.ts'

const AWAY = new Error('away')

function stage(failures: number) {
  const seen: unknown[] = []
  const listens = Promise.withResolvers<void>()
  let left = failures
  const o = {
    againMs: 1,
    listen: async (): Promise<AsyncDisposable> => {
      left -= 1
      if (left >= 0) throw AWAY
      return { [Symbol.asyncDispose]: async () => void seen.push('ended') }
    },
    onTrouble: (error: unknown) => seen.push(error),
    onListen: () => {
      seen.push('listens')
      listens.resolve()
    },
  }
  return { o, seen, listens: listens.promise }
}

it.each([
  [0, ['listens', 'ended']],
  [3, [AWAY, 'listens', 'ended']],
])('after %i failures it listens, and tells of the first alone', async (failures, expected) => {
  const { o, seen, listens } = stage(failures)
  {
    await using _listening = listenOnceThere(o)
    await listens
  }
  expect(seen).toEqual(expected)
})

it('ends while it waits for what is away, and then never listens', async () => {
  const { o, seen } = stage(Number.POSITIVE_INFINITY)
  const failed = Promise.withResolvers<void>()
  const listening = listenOnceThere({ ...o, againMs: 3_600_000, onTrouble: () => failed.resolve() })
  await failed.promise
  await listening[Symbol.asyncDispose]()
  expect(seen).toEqual([])
})
