import { describe, expect, it } from 'vitest'
import { SharedRuns } from './shared-runs.ts'

/** Work that ends when it is told to; each run gives its number. */
class Work {
  begun = 0
  readonly #fails: number
  readonly #ends: (() => void)[] = []
  readonly run = async (): Promise<number> => {
    this.begun += 1
    const number = this.begun
    await new Promise<void>((resolve) => this.#ends.push(resolve))
    if (number === this.#fails) throw new Error('away')
    return number
  }

  constructor(fails = 0) {
    this.#fails = fails
  }

  async end(): Promise<void> {
    this.#ends.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('runs that are shared', () => {
  it('begin after everybody who gets what came of them', async () => {
    const [runs, work] = [new SharedRuns<number>(), new Work()]
    const first = runs.run('a', work.run)
    const meanwhile = [runs.run('a', work.run), runs.run('a', work.run), runs.run('a', work.run)]
    expect(work.begun).toBe(1)
    await work.end()
    expect(work.begun).toBe(2)
    const later = runs.run('a', work.run)
    await work.end()
    await work.end()
    expect([await first, await Promise.all(meanwhile), await later, work.begun]).toEqual([1, [2, 2, 2], 3, 3])
  })

  it('are begun anew by whoever asks when none is under way', async () => {
    const [runs, work] = [new SharedRuns<number>(), new Work()]
    for (const number of [1, 2, 3]) {
      const one = runs.run('a', work.run)
      await work.end()
      expect(await one).toBe(number)
    }
  })

  it('of different keys are not shared', async () => {
    const [runs, work] = [new SharedRuns<number>(), new Work()]
    const both = [runs.run('a', work.run), runs.run('b', work.run)]
    expect(work.begun).toBe(2)
    await work.end()
    await work.end()
    expect(await Promise.all(both)).toEqual([1, 2])
  })

  it('go on after one that failed', async () => {
    const [runs, work] = [new SharedRuns<number>(), new Work(1)]
    const [first, second] = [runs.run('a', work.run), runs.run('a', work.run)]
    const refused = first.catch((error: unknown) => error)
    await work.end()
    await work.end()
    expect(await refused).toMatchObject({ message: 'away' })
    expect(await second).toBe(2)
  })
})
