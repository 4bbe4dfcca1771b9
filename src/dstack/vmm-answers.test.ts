import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { DstackVmmStandIn } from '../../test/stand-ins/dstack-vmm.ts'
import { listenFor } from '../../test/stand-ins/listen.ts'
import type { WrongAnswer } from '../../test/stand-ins/wrong-answers.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { DstackVmm } from './dstack-vmm.ts'
import { closeVmms, openVmm, ordered, signal } from './testing/vmm-trial.ts'

afterEach(closeVmms)

describe('an answer that goes wrong', () => {
  const CODES: Readonly<Record<WrongAnswer, string>> = {
    refused: 'target-order-refused',
    broken: 'target-failing',
    lost: 'target-unreachable',
    half: 'target-unreachable',
    late: 'target-unreachable',
    never: 'target-unreachable',
    huge: 'target-answer-malformed',
    garbage: 'target-answer-malformed',
    twice: 'target-answer-malformed',
  }
  const OFFERING = ['ListImages', 'GetComposeHash', 'Status', 'CreateVm', 'GetInfo']

  it.each(Object.entries(CODES))('%s is %s, whatever was asked, in no words of theirs', async (wrong, code) => {
    for (const method of OFFERING) {
      const { vmm, target } = await openVmm({}, { timeoutMs: wrong === 'late' || wrong === 'never' ? 300 : 5000 })
      vmm.failNext(method, wrong as WrongAnswer)
      const failure = await failureOf(target.offer(ordered(), signal))
      expect(`${method} ${failure.code}`).toBe(`${method} ${code}`)
      expect(`${failure.message} ${failure.hint}`).not.toContain('theirs')
    }
  })

  it('leads to one guest, however often it is asked again', async () => {
    const wrongs = fc.array(fc.tuple(fc.constantFrom(...OFFERING, 'StartVm'), fc.constantFrom<WrongAnswer>('broken', 'lost', 'half')), {
      maxLength: 5,
    })
    await fc.assert(
      fc.asyncProperty(wrongs, async (all) => {
        await using vmm = await DstackVmmStandIn.start()
        const target = new DstackVmm({ address: { url: vmm.url }, token: null, osImages: new Map() })
        for (const [method, wrong] of all) vmm.failNext(method, wrong)
        const { offer } = await again(() => target.offer(ordered(), signal))
        const guest = await again(
          async () =>
            (await target.find({ ordered: ordered(), offer }, signal)) ??
            (await target.commit({ ordered: ordered(), offer, environment: null }, signal)),
        )
        expect([vmm.guests.map(({ id }) => id), vmm.everStarted]).toEqual([[guest], 1])
      }),
      { numRuns: 30 },
    )
  })

  it('is heard no more once the caller has left', async () => {
    const { vmm, target } = await openVmm()
    vmm.failNext('ListImages', 'never')
    const leaving = new AbortController()
    const offering = target.offer(ordered(), leaving.signal)
    leaving.abort(new Error('left'))
    await expect(offering).rejects.toThrow('left')
  })

  it('from where nobody listens is target-unreachable, and may pass', async () => {
    const target = new DstackVmm({ address: { url: new URL('http://127.0.0.1:1/') }, token: null, osImages: new Map() })
    expect(await failureOf(target.offer(ordered(), signal))).toMatchObject({ code: 'target-unreachable', retryable: true })
  })
})

describe('what is no answer at all', () => {
  it('is a failure of ours, or an answer, whatever JSON it is', async () => {
    let answer: unknown
    let status = 200
    await using server = await listenFor(() => Response.json(answer, { status }))
    const target = new DstackVmm({ address: { url: server.url }, token: null, osImages: new Map() })
    const { offer } = await (await openVmm()).target.offer(ordered(), signal)
    const calls = [
      () => target.offer(ordered(), signal),
      () => target.find({ ordered: ordered(), offer }, signal),
      () => target.state('one', signal),
      () => target.attested('one', signal),
      () => target.commit({ ordered: ordered(), offer, environment: null }, signal),
      () => target.stop('one', signal),
    ]
    const keys = fc.constantFrom(
      'found',
      'info',
      'id',
      'vms',
      'images',
      'hash',
      'status',
      'configuration',
      'name',
      'compose_file',
      'app_id',
      'error',
    )
    const json = fc.dictionary(keys, fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.dictionary(keys, fc.jsonValue({ maxDepth: 1 }))))
    await fc.assert(
      fc.asyncProperty(json, fc.constantFrom(200, 204, 301, 400, 401, 404, 500, 503), fc.nat(5), async (body, code, call) => {
        answer = body
        status = code === 204 ? 200 : code
        const failure: unknown = await calls[call]?.().then(
          () => undefined,
          (error: unknown) => error,
        )
        if (failure !== undefined) expect(failure).toBeInstanceOf(Failure)
        if (failure instanceof Failure) expect(failure.code).toMatch(/^target-/)
      }),
      { numRuns: 200 },
    )
  })
})

async function again<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof Failure && error.retryable)) throw error
    }
  }
}

async function failureOf(act: Promise<unknown>): Promise<Failure> {
  const failure = await act.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (failure instanceof Failure) return failure
  throw failure ?? new Error('nothing failed')
}
