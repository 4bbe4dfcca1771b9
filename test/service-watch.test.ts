import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import { ServiceWatch } from '../src/service-watch.ts'
import { Failure } from '../verifier/model/failure.ts'

it('collects its figures once a second, however many ask', async () => {
  let at = 0
  const watch = new ServiceWatch({ blobs: tmpdir(), minFreeBytes: 0, now: () => new Date(), clock: () => at })
  const text = async (): Promise<string> => (await watch.metrics.text()) ?? ''
  const [first, ...others] = await Promise.all(Array.from({ length: 50 }, text))
  expect(new Set(others)).toEqual(new Set([first]))
  expect(first).toContain('bitwitness_troubles_total 0')
  watch.events.trouble?.({ where: 'here', error: new Failure({ code: 'a-code', message: '', hint: '' }) })
  at = 999
  expect(await text()).toBe(first)
  at = 1000
  expect(await text()).toContain('bitwitness_troubles_total 1')
})
