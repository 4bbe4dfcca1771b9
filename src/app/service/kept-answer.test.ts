import { describe, expect, it } from 'vitest'
import { keptAnswer } from './kept-answer.ts'

describe('a kept answer', () => {
  it('is read once for all who ask at a time, and again when it is old', async () => {
    let [read, now] = [0, 0]
    const get = keptAnswer({
      read: () => {
        read += 1
        return Promise.resolve(read)
      },
      clock: () => now,
      keepMs: 100,
      patienceMs: 60_000,
    })
    expect(await Promise.all([get(), get(), get()])).toEqual([1, 1, 1])
    now = 99
    expect(await get()).toEqual(1)
    now = 100
    expect([await get(), read]).toEqual([2, 2])
  })

  it('is none where reading fails, and is asked for again', async () => {
    const answers = [Promise.reject(new Error('down')), Promise.resolve(1)]
    const get = keptAnswer({
      read: () => answers.shift() ?? Promise.reject(new Error('asked again')),
      clock: () => 0,
      keepMs: 1,
      patienceMs: 60_000,
    })
    expect([await get(), await get()]).toEqual([null, 1])
  })

  it('keeps nobody waiting for what hangs, and is not asked for again meanwhile', async () => {
    const { promise, resolve } = Promise.withResolvers<number>()
    let read = 0
    const get = keptAnswer({
      read: () => {
        read += 1
        return promise
      },
      clock: () => 0,
      keepMs: 1000,
      patienceMs: 1,
    })
    expect([await get(), await get(), read]).toEqual([null, null, 1])
    resolve(1)
    await promise
    expect([await get(), read]).toEqual([1, 1])
  })
})
