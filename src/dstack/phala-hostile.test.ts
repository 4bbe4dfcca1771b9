import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { DeployOrder } from '../app/deploy/deployment.ts'
import { closeClouds, MINIMAL, openCloud, targetAt } from './testing/phala-trial.ts'

afterAll(closeClouds)

const NAMES = [
  'compose_hash',
  'app_id',
  'app_env_encrypt_pubkey',
  'os_image_hash',
  'device_id',
  'app_ids',
  'nonce',
  'name',
  'vm_uuid',
  'instance_id',
  'gateway',
  'base_domain',
  'gateway_domain',
  'status',
  'boot_error',
  'tcb_info',
  'app_compose',
  'detail',
  'error_code',
  'details',
]
const THEIRS = 'a text of theirs'

/** JSON that is near to what is understood. */
const answers = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(
      THEIRS,
      '',
      'running',
      'ERR-01-004',
      null,
      true,
      0,
      -1,
      1e300,
      'ab'.repeat(20),
      `0x${'ab'.repeat(32)}`,
      'ab'.repeat(16),
    ),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie('value'), { maxKeys: 8 }),
  ),
})).value

it('whatever is answered, with whatever status, a call gives what the port says, or a failure of ours without a word of theirs', async () => {
  const cloud = await openCloud()
  const target = targetAt(cloud)
  const { signal } = new AbortController()
  const appCompose = Buffer.from(MINIMAL)
  const order = DeployOrder.parse({ name: 'app-one', appCompose: digestOf(appCompose), appId: 'ab'.repeat(20) })
  const ordered = { order, appCompose, envNames: [] }
  const offer = {
    composeHash: digestOf(appCompose),
    appCompose: null,
    appId: 'ab'.repeat(20),
    osImageHash: null,
    deviceId: null,
    envKey: null,
    handle: {},
  }
  const calls: readonly (() => Promise<unknown>)[] = [
    async () => await target.offer(ordered, signal),
    async () => await target.offer({ ...ordered, order: { ...order, appId: null } }, signal),
    async () => await target.commit({ ordered, offer, environment: null }, signal),
    async () => await target.find({ ordered, offer }, signal),
    async () => await target.state('ab'.repeat(16), signal),
    async () => await target.attested('ab'.repeat(16), signal),
    async () => await target.stop('ab'.repeat(16), signal),
  ]
  const status = fc.oneof(fc.constant(200), fc.constantFrom(201, 301, 400, 401, 403, 404, 409, 422, 429, 465, 500))
  const routes = [
    'POST /cvms/provision',
    'GET /kms/phala/next_app_id',
    'POST /cvms',
    'GET /cvms/:id',
    'DELETE /cvms/:id',
    'POST /cvms/:id/stop',
  ]
  const all = [...routes, 'GET /cvms/:id/state', 'GET /cvms/:id/attestation']
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ status, body: answers }), { minLength: 8, maxLength: 8 }), fc.nat(6), async (given, call) => {
      for (const [index, route] of all.entries()) cloud.faults.add(route, { kind: 'answer', status: 200, ...given[index] }, 1)
      const failure = await calls[call]?.().then(
        () => undefined,
        (error: unknown) => error,
      )
      cloud.faults.clear()
      if (failure === undefined) return
      expect(failure).toBeInstanceOf(Failure)
      const { code, message, hint, data } = failure as Failure
      expect([code, JSON.stringify([message, hint, data])]).toEqual([
        expect.stringMatching(/^target-/),
        expect.not.stringContaining(THEIRS),
      ])
    }),
    { numRuns: 400 },
  )
})
