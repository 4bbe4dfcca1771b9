import { describe, expect, it } from 'vitest'
import { Readiness, type ReadinessPorts, readReadiness } from './readiness.ts'
import type { ServiceFigures } from './service-figures.ts'

const NOW = new Date('2026-01-01T00:00:00Z')
const before = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1000)
const FIGURES: ServiceFigures = {
  queues: [
    { kind: 'attempt-amd64-trusted', waiting: 1, active: 0, dueSince: before(5) },
    { kind: 'attempt-amd64-stranger', waiting: 0, active: 0, dueSince: null },
    { kind: 'signing', waiting: 0, active: 0, dueSince: null },
  ],
  supervised: before(30),
  signing: { tasks: 0, oldest: null },
  workers: [{ architecture: 'amd64', place: 'in-process', count: 1 }],
  at: NOW,
}

function read(
  change: Partial<Omit<ReadinessPorts, 'figures' | 'blobs'>> & {
    figures?: ServiceFigures | null
    blobs?: Awaited<ReturnType<ReadinessPorts['blobs']>>
  } = {},
) {
  const { figures = FIGURES, blobs = { writable: true, freeBytes: 100 }, ...rest } = change
  return readReadiness({
    figures: () => Promise.resolve(figures),
    blobs: () => Promise.resolve(blobs),
    superviseSeconds: 10,
    minFreeBytes: 100,
    now: () => NOW,
    ...rest,
  })
}

describe('readiness', () => {
  it('says what there is', async () => {
    const readiness = await read()
    expect(readiness).toEqual({
      ready: true,
      database: { ok: true },
      queue: { ok: true, supervisedSeconds: 30 },
      blobs: { ok: true, writable: true, freeBytes: 100 },
      signing: { ok: true, tasks: 0, oldestSeconds: 0 },
      workers: { ok: true, routes: [{ architecture: 'amd64', owners: 'trusted', waiting: 1, waitedSeconds: 5, workers: 1 }] },
    })
    expect(Readiness.parse(readiness)).toEqual(readiness)
  })

  it.each([
    ['the database does not answer', { figures: null }, 'database'],
    ['nobody has looked after the queue', { figures: { ...FIGURES, supervised: null } }, 'queue'],
    ['whoever looked after the queue is gone', { figures: { ...FIGURES, supervised: before(41) } }, 'queue'],
    ['blobs cannot be written', { blobs: { writable: false, freeBytes: 100 } }, 'blobs'],
    ['there is no room for blobs', { blobs: { writable: true, freeBytes: 99 } }, 'blobs'],
    ['the folder of blobs hangs', { blobs: null }, 'blobs'],
  ] as const)('is none where %s', async (_, change, part) => {
    const readiness = await read(change)
    expect([readiness.ready, readiness[part].ok]).toEqual([false, false])
    expect(Readiness.parse(readiness)).toEqual(readiness)
  })

  it('tells how long statements wait for the signer, and stays', async () => {
    const { ready, signing } = await read({ figures: { ...FIGURES, signing: { tasks: 3, oldest: before(3600) } } })
    expect([ready, signing]).toEqual([true, { ok: false, tasks: 3, oldestSeconds: 3600 }])
  })

  it('tells that nobody builds what waits, and stays, so that a worker that comes is let in', async () => {
    const queues = [{ kind: 'attempt-amd64-stranger', waiting: 2, active: 0, dueSince: before(60) }] as const
    const { ready, workers } = await read({ figures: { ...FIGURES, queues } })
    expect([ready, workers.ok]).toEqual([true, false])
    expect(workers.routes).toEqual([
      { architecture: 'amd64', owners: 'trusted', waiting: 0, waitedSeconds: 0, workers: 1 },
      { architecture: 'amd64', owners: 'stranger', waiting: 2, waitedSeconds: 60, workers: 0 },
    ])
    const remote = { architecture: 'amd64', place: 'remote', count: 1 } as const
    expect((await read({ figures: { ...FIGURES, queues, workers: [remote] } })).workers.ok).toBe(true)
  })
})
