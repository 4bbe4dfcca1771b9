import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../verifier/model/failure.ts'
import type { ServiceFigures } from '../app/service/service-figures.ts'
import { ServiceMetrics } from './service-metrics.ts'

const NOW = new Date('2026-01-01T00:00:00Z')
const before = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1000)
const FIGURES: ServiceFigures = {
  queues: [
    { kind: 'attempt-amd64-trusted', waiting: 3, active: 1, dueSince: before(90) },
    { kind: 'decision', waiting: 0, active: 0, dueSince: null },
  ],
  supervised: NOW,
  signing: { tasks: 2, oldest: before(600) },
  workers: [
    { architecture: 'amd64', place: 'in-process', count: 1 },
    { architecture: 'sparc64', place: 'remote', count: 2 },
    { architecture: 'mips', place: 'remote', count: 3 },
  ],
  at: NOW,
}

const open = (figures: ServiceFigures | null = null) =>
  new ServiceMetrics({ figures: () => Promise.resolve(figures), now: () => NOW, process: false })

/** The lines of ours that are not zero, without those of buckets. */
async function shown(metrics: ServiceMetrics): Promise<string[]> {
  return (await metrics.text())
    .split('\n')
    .filter((line) => line.startsWith('bitwitness_') && !line.includes('_bucket{') && !line.endsWith(' 0'))
}

const answer = { method: 'GET', route: '/v1/verifications/:id', status: 200, ms: 250, code: null }
const attempt = { verification: 'v', attempt: 'a', number: 1, worker: 'w' }

describe('the metrics', () => {
  it('count what is told', async () => {
    const metrics = open()
    const { events } = metrics
    events.submissionAccepted?.({ verification: 'v', owner: 'o', trusted: true, joined: false })
    events.attemptLeased?.({ ...attempt, mode: 'live', waitedSeconds: 2 })
    events.attemptLeased?.({ ...attempt, mode: 'live', waitedSeconds: null })
    events.attemptEnded?.({ ...attempt, mode: 'live', outcome: 'built', state: 'committed', stages: [{ name: 'build', ms: 41_000 }] })
    events.attemptEnded?.({ ...attempt, mode: 'replay', outcome: 'input-unavailable', state: 'committed', stages: [] })
    events.leaseLost?.({ ...attempt, mode: 'live', givenUp: false })
    events.reportRefused?.({ attempt: 'a', worker: 'w', error: null })
    events.reportRefused?.({ attempt: 'a', worker: 'w', error: new Failure({ code: 'lease-expired', message: '', hint: '' }) })
    events.verdictGiven?.({ verification: 'v', verdict: 'reproduced', tier: 'bit-exact', seconds: 100 })
    events.verdictGiven?.({ verification: 'v', verdict: 'mismatch', tier: null, seconds: 20 })
    events.signingFailed?.({ verification: 'v', predicateType: 'p', error: null, tries: 1, nextAt: NOW })
    events.callbackFailed?.({ verification: 'v', error: null, tries: 9, nextAt: null })
    events.jobFailed?.({ kind: 'preparation', job: 'j', error: null, tries: 1, nextAt: NOW })
    events.requestAnswered?.(answer)
    events.trouble?.({ where: 'queue', error: null })
    expect(await shown(metrics)).toEqual([
      'bitwitness_submissions_total{joined="false"} 1',
      'bitwitness_attempts_total{outcome="built",mode="live"} 1',
      'bitwitness_attempts_total{outcome="input-unavailable",mode="replay"} 1',
      'bitwitness_stage_seconds_sum{stage="build",mode="live"} 41',
      'bitwitness_stage_seconds_count{stage="build",mode="live"} 1',
      'bitwitness_attempt_wait_seconds_sum 2',
      'bitwitness_attempt_wait_seconds_count 1',
      'bitwitness_mirror_failures_total 1',
      'bitwitness_leases_lost_total 1',
      'bitwitness_reports_refused_total{code="internal"} 1',
      'bitwitness_reports_refused_total{code="lease-expired"} 1',
      'bitwitness_verdicts_total{verdict="reproduced",tier="bit-exact"} 1',
      'bitwitness_verdicts_total{verdict="mismatch",tier="none"} 1',
      'bitwitness_verification_seconds_sum 120',
      'bitwitness_verification_seconds_count 2',
      'bitwitness_signings_total{result="failed"} 1',
      'bitwitness_callbacks_total{result="given-up"} 1',
      'bitwitness_job_failures_total{kind="preparation"} 1',
      'bitwitness_http_requests_total{method="GET",route="/v1/verifications/:id",status="200"} 1',
      'bitwitness_http_request_seconds_sum{method="GET",route="/v1/verifications/:id"} 0.25',
      'bitwitness_http_request_seconds_count{method="GET",route="/v1/verifications/:id"} 1',
      'bitwitness_troubles_total 1',
    ])
  })

  it('say how much waits, how long, and who works', async () => {
    expect(await shown(open(FIGURES))).toEqual([
      'bitwitness_database_up 1',
      'bitwitness_queue_jobs{queue="attempt-amd64-trusted",state="waiting"} 3',
      'bitwitness_queue_jobs{queue="attempt-amd64-trusted",state="active"} 1',
      'bitwitness_queue_oldest_seconds{queue="attempt-amd64-trusted"} 90',
      'bitwitness_signing_backlog 2',
      'bitwitness_signing_backlog_oldest_seconds 600',
      'bitwitness_workers{architecture="amd64",place="in-process"} 1',
      'bitwitness_workers{architecture="other",place="remote"} 5',
    ])
  })

  it('say nothing of what the database does not tell, rather than what it told before', async () => {
    const answers: (ServiceFigures | null)[] = [FIGURES, null, FIGURES]
    const metrics = new ServiceMetrics({ figures: () => Promise.resolve(answers.shift() ?? null), now: () => NOW, process: false })
    const first = await metrics.text()
    const without = await metrics.text()
    expect(without).toContain('bitwitness_database_up 0\n')
    expect(without).not.toMatch(/^bitwitness_(queue|signing_backlog|workers).* \d/m)
    expect(await metrics.text()).toBe(first)
  })

  it('stay few whatever is asked for and whatever a worker says', async () => {
    const metrics = open()
    const size = async () => (await metrics.text()).split('\n').length
    for (let n = 0; n < 200; n += 1) metrics.events.requestAnswered?.({ ...answer, method: `M${n}`, route: `/r/${n}` })
    const most = await size()
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), fc.double(), async (method, route, ms) => {
        metrics.events.requestAnswered?.({ ...answer, method, route, ms })
        metrics.events.attemptEnded?.({ ...attempt, mode: 'live', outcome: 'built', state: 'committed', stages: [{ name: 'build', ms }] })
        const text = await metrics.text()
        expect(text).not.toMatch(/ (NaN|[+-]?Inf)/)
      }),
      { numRuns: 200 },
    )
    // One more label: the stage.
    expect((await size()) - most).toBeLessThan(40)
  })

  it('include those of the process where they are asked for', async () => {
    const metrics = new ServiceMetrics({ figures: () => Promise.resolve(null), now: () => NOW, process: true })
    expect(await metrics.text()).toMatch(/^process_cpu_seconds_total /m)
    expect(metrics.contentType).toContain('text/plain')
  })
})
