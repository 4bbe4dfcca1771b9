import { expect, it } from 'vitest'
import { currentRequest, inRequest } from './request-scope.ts'
import { SERVICE_EVENTS, tellAll } from './service-events.ts'

it('tells each listener, also after one that throws, and never throws', () => {
  const heard: unknown[] = []
  const events = tellAll(
    {
      trouble: () => {
        throw new Error('a full disk')
      },
    },
    {},
    { trouble: (facts) => heard.push(facts), stopped: (facts) => heard.push(facts) },
  )
  events.trouble({ where: 'here', error: null })
  events.stopped({ clean: true })
  expect(heard).toEqual([{ where: 'here', error: null }, { clean: true }])
})

it('has a function for each kind of event, with no listener at all', () => {
  const events = tellAll()
  for (const kind of SERVICE_EVENTS) expect(events[kind]({} as never)).toBeUndefined()
})

it('knows the request across what it awaits, and none outside', async () => {
  const seen = await Promise.all(
    ['a', 'b'].map((id) =>
      inRequest(id, async () => {
        await Promise.resolve()
        return currentRequest()
      }),
    ),
  )
  expect([...seen, currentRequest()]).toEqual(['a', 'b', null])
})
