import { describe, expect, it } from 'vitest'
import { Failure } from '../../verifier/model/failure.ts'
import { inRequest } from '../app/service/request-scope.ts'
import { SERVICE_EVENTS, type ServiceEvents, type ServiceFacts } from '../app/service/service-events.ts'
import { openLog } from './log.ts'
import { loggedEvents } from './logged-events.ts'

/** What was logged, as text and read again. */
function heard(tell: (events: ServiceEvents) => void, { debug = false } = {}): { text: string; lines: Record<string, unknown>[] } {
  const lines: string[] = []
  tell(loggedEvents(openLog({ level: 'debug', write: (line) => lines.push(line) }), { debug }))
  return { text: lines.join(''), lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

const verification = '0193a1b2-0000-7000-8000-000000000001'
const attempt = { verification, attempt: '0193a1b2-0000-7000-8000-000000000002', number: 1, mode: 'live' } as const
const worker = '0193a1b2-0000-7000-8000-000000000003'
const answered: ServiceFacts['requestAnswered'] = {
  method: 'GET',
  route: '/v1/verifications/:id',
  status: 200,
  ms: 3.4,
  code: null,
}

describe('the log', () => {
  it('has one JSON object a line, with level, time, request and ids', () => {
    const { lines } = heard((events) =>
      inRequest('r-1', () => {
        events.submissionAccepted({ verification, owner: worker, trusted: true, joined: false })
      }),
    )
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        pid: process.pid,
        request: 'r-1',
        verification,
        owner: worker,
        trusted: true,
        msg: 'submission accepted',
      },
    ])
  })

  it('says how long an attempt took and how it ended', () => {
    const stages = [
      { name: 'start', ms: 250 },
      { name: 'build', ms: 41_000 },
    ] as const
    const { lines } = heard((events) => {
      events.attemptEnded({ ...attempt, worker, outcome: 'built', state: 'committed', stages })
      events.attemptEnded({ ...attempt, worker, outcome: 'infrastructure', state: 'queued', stages: [] })
    })
    expect(lines).toMatchObject([
      { level: 'info', ...attempt, worker, outcome: 'built', state: 'committed', seconds: 41.25, msg: 'attempt ended' },
      { level: 'warn', outcome: 'infrastructure', state: 'queued', seconds: 0 },
    ])
  })

  it('shows a failure by its code, and any other error by an id and the name of its class', () => {
    const failure = new Failure({ code: 'rekor-down', message: 'LEAK', hint: 'LEAK', data: { LEAK: 1 }, cause: new Error('LEAK') })
    const stranger = Object.assign(new TypeError('LEAK'), { name: 'LEAK', code: 'LEAK' })
    const { text, lines } = heard((events) => {
      for (const error of [failure, stranger, 'LEAK', undefined, Object.create(null), new SuppressedError(stranger, failure)])
        events.trouble({ where: 'here', error })
    })
    const id = expect.stringMatching(/^[0-9a-f]{16}$/)
    expect(lines.map(({ error }) => error)).toEqual([
      { code: 'rekor-down', retryable: false },
      { id, class: 'TypeError' },
      { id, class: 'string' },
      { id, class: 'undefined' },
      { id, class: 'object' },
      { code: 'rekor-down', retryable: false },
    ])
    expect(text).not.toContain('LEAK')
  })

  it('shows what an error says only where that was asked for', () => {
    const { lines } = heard((events) => events.trouble({ where: 'here', error: new Error('what it says') }), { debug: true })
    expect(lines).toMatchObject([{ error: { class: 'Error', text: expect.stringContaining('what it says') } }])
  })

  it('takes no fact that it does not know, and no code that is none', () => {
    const more = { token: 'LEAK', claims: ['LEAK'], url: 'LEAK', failure: { message: 'LEAK' } }
    const { text, lines } = heard((events) => {
      for (const kind of SERVICE_EVENTS)
        events[kind]({
          ...attempt,
          ...answered,
          stages: [{ name: 'build', ms: 1, LEAK: 'LEAK' }],
          error: new Error('LEAK'),
          why: 'LEAK leak',
          code: 'LEAK leak',
          ...more,
        } as never)
    })
    expect(lines).toHaveLength(SERVICE_EVENTS.length)
    expect(text).not.toContain('LEAK')
    expect(lines.find(({ msg }) => msg === 'identity token refused')?.['why']).toBe('malformed')
  })

  it('says why a request was refused, by its code', () => {
    const line = (code: string | null) => heard((events) => events.requestAnswered({ ...answered, status: 400, code })).lines[0]
    expect(line('boot-info-malformed')).toMatchObject({ status: 400, code: 'boot-info-malformed' })
    expect(line(null)).not.toHaveProperty('code')
  })

  it('is plain text whatever a fact holds', () => {
    const { text } = heard((events) => events.trouble({ where: 'a\u001b[2J\u202eb\u0085\u2028\u{1f600}', error: null }))
    expect(text).toMatch(/^[\x20-\x7e]+\n$/)
    expect(JSON.parse(text)).toMatchObject({ where: 'a\u001b[2J\u202eb\u0085\u2028\u{1f600}' })
  })

  it('tells of requests that changed or failed something, and of others to whoever looks closer', () => {
    const levels = ([method, route, status]: readonly [string, string, number]) =>
      heard((events) => events.requestAnswered({ ...answered, method, route, status })).lines[0]?.['level']
    const cases = [
      ['GET', '/v1/verifications', 200, 'debug'],
      ['GET', '/v1/verifications/:id', 404, 'info'],
      ['POST', '/v1/verifications', 202, 'info'],
      ['POST', '/v1/worker/claim', 204, 'debug'],
      ['POST', '/v1/worker/claim', 401, 'info'],
      ['POST', '/v1/verifications', 500, 'warn'],
      ['GET', '/readyz', 503, 'debug'],
    ] as const
    expect(cases.map(([method, route, status]) => levels([method, route, status]))).toEqual(cases.map((one) => one[3]))
  })
})
