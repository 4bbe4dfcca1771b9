import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventLog, type LoggedEvent, RUNTIME_EVENT, replayFirmware, replayRuntime, runtimeDigest } from './event-log.ts'

const NONE = Buffer.alloc(0)
const event = (name: string, payload: string, change: Partial<LoggedEvent> = {}): LoggedEvent => ({
  imr: 3,
  type: RUNTIME_EVENT,
  name,
  payload: Buffer.from(payload, 'hex'),
  digest: NONE,
  version: 1,
  ...change,
})

describe('a digest of a runtime event', () => {
  it('is of its type, name and payload', () => {
    expect(runtimeDigest(event('app-id', 'deadbeef')).toString('hex')).toBe(
      '67b4be4efed0893cfa2bb1d35dca209ad8348b4c97f980807bcde8b9a0f26398dd0923d6eccb5aa2096d98046da8740f',
    )
  })

  it('is of canonical JSON in the second version', () => {
    expect(runtimeDigest(event('compose-hash', 'ABCD', { version: 2 })).toString('hex')).toBe(
      '9dde1673f544faa94b921825209593ddde08d0baf9cd6990175dffaf3081f1bb10311d56de189491feb33842a050ad7b',
    )
  })
})

const events = fc.array(
  fc
    .record({
      name: fc.string({ unit: 'grapheme', maxLength: 12 }),
      payload: fc.uint8Array({ maxLength: 12 }),
      version: fc.constantFrom(1, 2),
    })
    .map(({ name, payload, version }) => event(name, Buffer.from(payload).toString('hex'), { version: version === 1 ? 1 : 2 })),
  { minLength: 1, maxLength: 6 },
)
const valueOf = (log: readonly LoggedEvent[]): string => {
  const replay = replayRuntime(log)
  return typeof replay === 'string' ? replay : replay.value
}

describe('replaying RTMR3', () => {
  it('extends it by one event after the other', () => {
    expect(replayRuntime([event('app-id', 'deadbeef')])).toEqual({
      value: '9f1bcb9c4dcada1710bf9612197f4e380a9259241b597f1b834c9b3d9f30ae0569950a92ca118e9d7697d893ea4b6d56',
      steps: ['9f1bcb9c4dcada1710bf9612197f4e380a9259241b597f1b834c9b3d9f30ae0569950a92ca118e9d7697d893ea4b6d56'],
    })
    expect(replayRuntime([])).toEqual({ value: '0'.repeat(96), steps: [] })
  })

  it('makes every digest again, and believes none that is another', () => {
    fc.assert(
      fc.property(events, fc.nat(), (log, at) => {
        const stated = log.map((one) => ({ ...one, digest: runtimeDigest(one) }))
        expect(valueOf(stated)).toBe(valueOf(log))
        const lied = stated.with(at % log.length, { ...event('compose-hash', 'ab'), digest: stated[at % log.length]?.digest ?? NONE })
        fc.pre(log[at % log.length]?.name !== 'compose-hash')
        expect(replayRuntime(lied)).toBe('digest-wrong')
      }),
    )
  })

  it('comes to another value for any other log', () => {
    fc.assert(
      fc.property(events, events, (one, other) => {
        const same =
          one.length === other.length && one.every((each, index) => runtimeDigest(each).equals(runtimeDigest(other[index] ?? each)))
        expect(valueOf(one) === valueOf(other)).toBe(same)
      }),
    )
  })

  it('takes no event whose digest follows from nothing', () => {
    expect(replayRuntime([event('app-id', ''), event('compose-hash', '', { type: 4, digest: Buffer.alloc(48) })])).toBe('foreign-event')
  })

  it('passes over events of the firmware, whose digests are what the log says', () => {
    const own = event('', '00', { imr: 0, type: 4, digest: Buffer.alloc(48, 1) })
    expect(valueOf([own, event('app-id', 'deadbeef')])).toBe(valueOf([event('app-id', 'deadbeef')]))
    expect(replayFirmware([own], 0)).toEqual({ value: expect.not.stringMatching(/^0+$/) as unknown, steps: [expect.any(String)] })
    expect([replayFirmware([own], 1), replayFirmware([own, { ...own, digest: NONE }], 0)]).toEqual(['digest-missing', 'digest-missing'])
  })
})

describe('an event log', () => {
  const good = { imr: 3, event_type: RUNTIME_EVENT, digest: '', event: 'app-id', event_payload: 'DEADbeef' }

  it('is read with whatever a later version adds', () => {
    expect(
      EventLog.parse([
        { ...good, preimage: 'ff', later: 1 },
        { ...good, version: 2, digest: '00'.repeat(48) },
      ]),
    ).toEqual([event('app-id', 'deadbeef'), event('app-id', 'deadbeef', { version: 2, digest: Buffer.alloc(48) })])
  })

  it.each([
    ['a register that there is not', { imr: 4 }],
    ['a digest of another length', { digest: '00'.repeat(47) }],
    ['a digest that is no hex', { digest: 'g'.repeat(96) }],
    ['half a byte', { event_payload: 'abc' }],
    ['a version that is not known', { version: 3 }],
    ['a name that no encoding has', { event: '\ud800' }],
    ['a name without end', { event: 'a'.repeat(1025) }],
    ['no name', { event: undefined }],
    ['a type that is no number', { event_type: '134217729' }],
  ])('is none with %s', (_, change) => {
    expect(EventLog.safeParse([{ ...good, ...change }]).success).toBe(false)
  })

  it('is none with more events than anybody makes', () => {
    expect(EventLog.safeParse(Array.from({ length: 4097 }, () => good)).success).toBe(false)
  })
})
