import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { memoryBlobs } from '../../verifier/builder/inputs/testing/memory-blobs.ts'
import type { Attempt } from '../../verifier/model/attempt.ts'
import { attemptWithoutRun } from '../../verifier/model/attempt.ts'
import type { EventBody } from '../../verifier/model/event.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { JobContext, JobRun, RunJob } from '../app/service/run-job.ts'
import { AttemptReport, type WorkerJob } from '../app/service/worker-protocol.ts'
import { failing, GONE, jobOf, ScriptedCoordinator } from './testing/scripted-coordinator.ts'
import { runWorker, type WorkerOptions } from './worker.ts'
import type { WorkerNews } from './worker-news.ts'

const NEVER = 60_000
const QUICK = { firstMs: 1, mostMs: 4 }

function runOf({ attempt: { number, mode } }: WorkerJob, change: Partial<Attempt> = {}): JobRun {
  const reason = { code: 'mkosi-failed', message: 'm', data: {} }
  return {
    attempt: { ...attemptWithoutRun({ number, mode, outcome: 'build-failed', reason }), ...change },
    treeDigest: null,
    builder: null,
    indexes: [],
    files: new Map(),
    [Symbol.asyncDispose]: async () => {},
  }
}

/** A worker of a test, with everything that it told. */
class Running {
  readonly news: WorkerNews[] = []
  readonly stop = new AbortController()
  readonly coordinator: ScriptedCoordinator
  readonly blobs = memoryBlobs()
  readonly done: Promise<void>

  constructor(coordinator: ScriptedCoordinator, o: Partial<WorkerOptions> & { runJob?: RunJob } = {}) {
    this.coordinator = coordinator
    this.done = runWorker({
      coordinator,
      blobs: this.blobs,
      runJob: async (job) => runOf(job),
      capabilities: async () => ({ architecture: 'amd64', builders: [], isolation: 'shared-kernel' }),
      slots: 1,
      obstacle: async () => null,
      version: '0.0.0',
      tell: (news) => this.news.push(news),
      signal: this.stop.signal,
      ...o,
      timing: { waitSeconds: 0, drainMs: NEVER, lastMs: NEVER, holdMs: 1, patience: QUICK, heartbeatMs: NEVER, ...o.timing },
    })
  }

  async until(condition: () => boolean): Promise<void> {
    await vi.waitFor(
      () => {
        if (!condition()) throw new Error(`not yet: ${JSON.stringify(this.news)}`)
      },
      { timeout: 10_000, interval: 2 },
    )
  }

  async told(kind: WorkerNews['kind']): Promise<WorkerNews> {
    await this.until(() => this.news.some((one) => one.kind === kind))
    const found = this.news.find((one) => one.kind === kind)
    if (found === undefined) throw new Error('gone')
    return found
  }

  async end(): Promise<void> {
    this.stop.abort()
    await this.done
  }
}

function reportsOf({ reports }: ScriptedCoordinator): AttemptReport['attempt'][] {
  return reports.map(({ document }) => AttemptReport.parse(JSON.parse(document)).attempt)
}

/** Runs until it is stopped. */
const untilStopped: RunJob = async (job, { signal }) => {
  if (!signal.aborted) await once(signal, 'abort')
  return runOf(job, { outcome: 'cancelled', reason: null })
}

describe('a worker', () => {
  it('runs as many attempts side by side as it has slots, and claims no more', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.jobs.push(jobOf(), jobOf(), jobOf())
    const gates = Array.from({ length: 3 }, () => Promise.withResolvers<void>())
    let begun = 0
    const running = new Running(coordinator, {
      slots: 2,
      runJob: async (job) => {
        const gate = gates[begun++]
        await gate?.promise
        return runOf(job)
      },
    })
    await running.until(() => begun === 2)
    for (let at = 0; at < 20; at += 1) await turn()
    expect([begun, coordinator.claims]).toEqual([2, 2])
    gates[1]?.resolve()
    await running.until(() => begun === 3)
    gates[0]?.resolve()
    gates[2]?.resolve()
    await running.until(() => coordinator.reports.length === 3)
    await running.end()
    expect(running.news.filter(({ kind }) => kind === 'reported')).toHaveLength(3)
  })

  it('waits through an outage of the coordinator, and says so once', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.jobs.push(jobOf())
    let failures = 6
    coordinator.meddle = (call) => {
      if (call === 'claim' && failures-- > 0) throw GONE
    }
    const running = new Running(coordinator)
    await running.told('reported')
    await running.end()
    expect(running.news.map(({ kind }) => kind)).toEqual(['holding', 'going-on', 'begun', 'reported'])
  })

  it('does not end by a defect', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.jobs.push(jobOf())
    let failures = 2
    coordinator.meddle = (call) => {
      if (call === 'claim' && failures-- > 0) throw new TypeError('secret')
    }
    const running = new Running(coordinator)
    await running.told('reported')
    await running.end()
    expect(running.news[0]).toEqual({ kind: 'holding', code: 'internal', message: 'something went wrong inside bitwitness' })
  })

  it.each(['worker-unknown', 'worker-signature-invalid', 'worker-outdated'])('ends where it is not wanted: %s', async (code) => {
    const coordinator = new ScriptedCoordinator()
    coordinator.meddle = () => {
      throw failing(code)
    }
    await expect(new Running(coordinator).done).rejects.toMatchObject({ code })
  })

  it('begins nothing where this machine cannot, says why, and goes on when it can', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.jobs.push(jobOf())
    let full = 3
    const disk = new Failure({ code: 'disk-space-low', message: 'little is left', hint: 'make room' })
    let claimedMeanwhile = 0
    const running = new Running(coordinator, {
      obstacle: async () => {
        claimedMeanwhile += coordinator.claims
        return full-- > 0 ? disk : null
      },
      runJob: untilStopped,
      timing: { drainMs: 1 },
    })
    await running.told('begun')
    expect(running.news.slice(0, 2)).toEqual([{ kind: 'holding', code: 'disk-space-low', message: 'little is left' }, { kind: 'going-on' }])
    expect([full, claimedMeanwhile]).toEqual([-1, 0])
    await running.end()
  })

  it('says whether anything runs, since then what is at hand may be needed', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.jobs.push(jobOf())
    const idle: boolean[] = []
    const running = new Running(coordinator, {
      slots: 2,
      runJob: untilStopped,
      timing: { drainMs: 1 },
      obstacle: async (o) => {
        idle.push(o.idle)
        return null
      },
    })
    await running.until(() => idle.length === 2)
    await running.end()
    expect(idle).toEqual([true, false])
  })

  it('lets what runs come to its end when it is to end', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.jobs.push(jobOf(), jobOf())
    const gate = Promise.withResolvers<void>()
    const running = new Running(coordinator, {
      runJob: async (job) => {
        await gate.promise
        return runOf(job)
      },
    })
    await running.told('begun')
    running.stop.abort()
    expect(await running.told('draining')).toMatchObject({ running: 1 })
    gate.resolve()
    await running.done
    expect(reportsOf(coordinator).map(({ outcome }) => outcome)).toEqual(['build-failed'])
    expect(coordinator.claims).toBe(1)
  })

  it('stops what takes longer than the grace, so that somebody else has it at once', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.jobs.push(jobOf())
    const running = new Running(coordinator, { runJob: untilStopped, timing: { drainMs: 1 } })
    await running.told('begun')
    await running.end()
    expect(reportsOf(coordinator)).toMatchObject([{ outcome: 'cancelled', log: null, builder: null }])
  })

  it('stops what had not got so far as to be stopped well', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.jobs.push(jobOf())
    const running = new Running(coordinator, {
      timing: { drainMs: 1 },
      runJob: async (_job, { signal }) => {
        if (!signal.aborted) await once(signal, 'abort')
        throw signal.reason
      },
    })
    await running.told('begun')
    await running.end()
    expect(reportsOf(coordinator)).toMatchObject([{ outcome: 'cancelled', reason: null }])
  })

  it('waits no longer for a coordinator that is gone while it ends', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.jobs.push(jobOf())
    coordinator.meddle = (call) => {
      if (call === 'report') throw GONE
    }
    const running = new Running(coordinator, { timing: { drainMs: 1, lastMs: 20 } })
    await running.told('begun')
    await running.end()
    expect(running.news.at(-1)).toMatchObject({ kind: 'dropped' })
  })
})

describe('an attempt', () => {
  it('is kept by heartbeats while it runs, is handed over and is reported', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.jobs.push(jobOf())
    const running: Running = new Running(coordinator, {
      timing: { heartbeatMs: 1 },
      runJob: async (job) => {
        await running.until(() => coordinator.beats > 2)
        const { sha256 } = await running.blobs.put(
          (async function* () {
            yield Buffer.from('the log')
          })(),
        )
        return runOf(job, { log: sha256 })
      },
    })
    await running.told('reported')
    await running.end()
    expect([...coordinator.given.values()].map(String)).toEqual(['the log'])
    expect(reportsOf(coordinator)).toMatchObject([{ outcome: 'build-failed' }])
  })

  it.each(['lease-expired', 'lease-not-yours', 'attempt-committed', 'verification-over', 'worker-unknown'])(
    'is let go of when a heartbeat is answered by %s',
    async (code) => {
      const coordinator = new ScriptedCoordinator()
      coordinator.jobs.push(jobOf())
      coordinator.meddle = (call) => {
        if (call === 'heartbeat') throw failing(code)
      }
      const running = new Running(coordinator, { runJob: untilStopped, timing: { heartbeatMs: 1 } })
      expect(await running.told('let-go')).toMatchObject({ code })
      await running.end()
      expect(coordinator.reports).toEqual([])
    },
  )

  it.each(['attempt-committed', 'attempt-queued'])(
    'is reported where a heartbeat learns of it before the report is answered: %s',
    async (code) => {
      const coordinator = new ScriptedCoordinator()
      coordinator.jobs.push(jobOf())
      let beats = 0
      coordinator.meddle = (call) => {
        if (call !== 'heartbeat' || coordinator.reports.length === 0) return
        beats += 1
        throw failing(code)
      }
      const running = new Running(coordinator, { timing: { heartbeatMs: 1 } })
      coordinator.reportAnswered = () => running.until(() => beats > 0)
      expect(await running.told('reported')).toMatchObject({ state: 'committed' })
      await running.end()
      expect(running.news.map(({ kind }) => kind)).toEqual(['begun', 'reported'])
    },
  )

  it('goes on while no heartbeat gets through, since the coordinator may be back in time', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.jobs.push(jobOf())
    let beats = 0
    coordinator.meddle = (call) => {
      if (call === 'heartbeat' && ++beats < 5) throw GONE
    }
    const running: Running = new Running(coordinator, {
      timing: { heartbeatMs: 1 },
      runJob: async (job) => {
        await running.until(() => beats > 6)
        return runOf(job)
      },
    })
    expect(await running.told('reported')).toMatchObject({ outcome: 'build-failed' })
    await running.end()
  })

  it('is reported however long the coordinator is gone, and what broke off is handed over again', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.jobs.push(jobOf())
    const failures = { missing: 3, give: 3, report: 3 }
    coordinator.meddle = (call) => {
      if ((call === 'missing' || call === 'give' || call === 'report') && failures[call]-- > 0) throw GONE
    }
    const running: Running = new Running(coordinator, {
      runJob: async (job) => {
        const text = async function* () {
          yield Buffer.from('x')
        }
        return runOf(job, { log: (await running.blobs.put(text())).sha256 })
      },
    })
    await running.told('reported')
    await running.end()
    expect([coordinator.given.size, coordinator.reports.length]).toEqual([1, 1])
    expect(failures).toEqual({ missing: -4, give: -1, report: -1 })
  })

  it('whose report comes too late is dropped, and said to be', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.jobs.push(jobOf(), jobOf())
    let first = true
    coordinator.meddle = (call) => {
      if (call === 'report' && first) {
        first = false
        throw failing('lease-not-yours')
      }
    }
    const running = new Running(coordinator)
    expect(await running.told('let-go')).toMatchObject({ code: 'lease-not-yours' })
    await running.told('reported')
    await running.end()
  })

  it('whose report is refused is reported as a failure of ours, which is tried again', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.jobs.push(jobOf())
    coordinator.meddle = (call, document) => {
      if (call === 'report' && !String(document).includes('infrastructure')) throw failing('report-builder-differs')
    }
    const running = new Running(coordinator)
    await running.told('reported')
    await running.end()
    expect(reportsOf(coordinator)).toMatchObject([{ outcome: 'infrastructure', reason: { code: 'report-builder-differs' } }])
  })

  it('is dropped where not even that is taken', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.jobs.push(jobOf())
    coordinator.meddle = (call) => {
      if (call === 'report') throw failing('report-contradictory')
    }
    const running = new Running(coordinator)
    expect(await running.told('dropped')).toMatchObject({ code: 'report-contradictory' })
    await running.end()
  })

  it('of which bytes got lost on the other side hands them over again, a few times', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.jobs.push(jobOf())
    let asked = 0
    coordinator.meddle = (call, document) => {
      if (call === 'missing') asked += 1
      if (call === 'report' && !String(document).includes('infrastructure')) throw failing('report-blobs-missing')
    }
    const running: Running = new Running(coordinator, {
      runJob: async (job) => {
        const text = async function* () {
          yield Buffer.from('x')
        }
        return runOf(job, { log: (await running.blobs.put(text())).sha256 })
      },
    })
    await running.told('reported')
    await running.end()
    expect(asked).toBe(3)
    expect(reportsOf(coordinator)).toMatchObject([{ outcome: 'infrastructure' }])
  })

  it('that cannot even be begun is tried again, and says why without a text of others', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.jobs.push(jobOf(), jobOf())
    const thrown = [failing('engine-unreachable'), new Error('password=secret')]
    const running = new Running(coordinator, {
      runJob: async () => {
        throw thrown.shift()
      },
    })
    await running.until(() => coordinator.reports.length === 2)
    await running.end()
    expect(reportsOf(coordinator).map(({ outcome, reason }) => [outcome, reason?.code])).toEqual([
      ['infrastructure', 'engine-unreachable'],
      ['infrastructure', 'internal'],
    ])
    expect(coordinator.reports.map(({ document }) => document).join()).not.toContain('secret')
  })

  it('leaves nothing behind, whatever becomes of it', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.jobs.push(jobOf(), jobOf())
    coordinator.meddle = (call) => {
      if (call === 'report') throw failing(coordinator.jobs.length === 1 ? 'lease-expired' : 'report-contradictory')
    }
    let disposed = 0
    const running = new Running(coordinator, {
      runJob: async (job) => ({ ...runOf(job), [Symbol.asyncDispose]: async () => void (disposed += 1) }),
    })
    await running.until(() => disposed === 2)
    await running.end()
    expect(disposed).toBe(2)
  })
})

describe('the events of an attempt', () => {
  const log = (line: string): EventBody => ({ kind: 'log', line })
  const emitting =
    (emit: (context: JobContext) => Promise<void> | void): RunJob =>
    async (job, context) => {
      await emit(context)
      return runOf(job)
    }
  const linesOf = ({ batches }: ScriptedCoordinator): string[] =>
    batches.flatMap(({ events }) => events.flatMap((event) => (event.kind === 'log' ? [event.line] : [])))
  const numbersOf = ({ batches }: ScriptedCoordinator): number[] => batches.flatMap(({ events }) => events.map(({ seq }) => seq))

  async function sent(coordinator: ScriptedCoordinator, emit: Parameters<typeof emitting>[0]): Promise<Running> {
    coordinator.jobs.push(jobOf())
    const running = new Running(coordinator, { runJob: emitting(emit) })
    await running.told('reported')
    await running.end()
    return running
  }

  it('are sent in order, numbered, in few documents, all before the report', async () => {
    const coordinator = new ScriptedCoordinator()
    let atReport = 0
    coordinator.meddle = (call) => {
      if (call === 'report') atReport = numbersOf(coordinator).length
    }
    await sent(coordinator, ({ emit }) => {
      for (let at = 1; at <= 1200; at += 1) emit(log(String(at)))
    })
    expect(linesOf(coordinator)).toEqual(Array.from({ length: 1200 }, (_, at) => String(at + 1)))
    expect(numbersOf(coordinator)).toEqual(Array.from({ length: 1200 }, (_, at) => at + 1))
    expect([coordinator.batches.length, atReport]).toEqual([3, 1200])
  })

  it('are sent again by the same numbers where they did not get through', async () => {
    const coordinator = new ScriptedCoordinator()
    const tried: string[] = []
    let failures = 3
    coordinator.meddle = (call, batch) => {
      if (call !== 'events') return
      tried.push(JSON.stringify(batch))
      if (failures-- > 0) throw GONE
    }
    await sent(coordinator, ({ emit }) => emit(log('a')))
    expect(new Set(tried).size).toBe(1)
    expect(linesOf(coordinator)).toEqual(['a'])
  })

  it('are no lines any more once the coordinator keeps no more of them', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.meddle = (call, batch) => {
      if (call === 'events' && JSON.stringify(batch).includes('"log"')) throw failing('events-too-many')
    }
    await sent(coordinator, ({ emit }) => {
      emit({ kind: 'stage-started', stage: 'build' })
      for (let at = 0; at < 2000; at += 1) emit(log('x'))
      emit({ kind: 'stage-ended', stage: 'build', ms: 1 })
    })
    expect(coordinator.batches.flatMap(({ events }) => events.map(({ kind, seq }) => `${seq} ${kind}`))).toEqual([
      '1 stage-started',
      '2 stage-ended',
    ])
  })

  it('tell of bytes only the newest', async () => {
    const coordinator = new ScriptedCoordinator()
    await sent(coordinator, ({ emit }) => {
      for (let done = 1; done <= 100; done += 1) emit({ kind: 'bytes', stage: 'collect', done, total: null })
    })
    expect(coordinator.batches.flatMap(({ events }) => events)).toMatchObject([{ kind: 'bytes', done: 100 }])
  })

  it('are given up where they are refused, and the attempt goes on', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.meddle = (call) => {
      if (call === 'events') throw failing('events-missing')
    }
    const running = await sent(coordinator, ({ emit }) => emit(log('a')))
    expect(running.news.map(({ kind }) => kind)).toContain('reported')
  })

  it('are held back while the coordinator is gone, as many as fit, and never stop the build', async () => {
    const coordinator = new ScriptedCoordinator()
    let gone = true
    coordinator.meddle = (call) => {
      if (call === 'events' && gone) throw GONE
    }
    await sent(coordinator, ({ emit }) => {
      for (let at = 0; at < 50_000; at += 1) emit(log('x'))
      gone = false
    })
    expect(linesOf(coordinator)).toHaveLength(20_000)
  })

  it('tell, where the attempt is somebody else’s, that it is to be let go of', async () => {
    const coordinator = new ScriptedCoordinator()
    coordinator.jobs.push(jobOf())
    coordinator.meddle = (call) => {
      if (call === 'events') throw failing('lease-not-yours')
    }
    const running = new Running(coordinator, {
      runJob: async (job, context) => {
        context.emit(log('a'))
        return await untilStopped(job, context)
      },
    })
    expect(await running.told('let-go')).toMatchObject({ code: 'lease-not-yours' })
    await running.end()
  })
})
