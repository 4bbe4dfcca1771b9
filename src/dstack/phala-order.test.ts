import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import type { Ordered } from '../app/deploy/deploy-target.ts'
import { DeployOrder } from '../app/deploy/deployment.ts'
import { phalaOrder } from './phala-order.ts'
import { predictedBytes } from './phala-prediction.ts'

const LEAST = { manifest_version: 2, runner: 'docker-compose', docker_compose_file: 'services: {}\n' }

function ordered(more: object = {}, options: DeployOrder['options'] = {}, o: { name?: string; envNames?: string[] } = {}): Ordered {
  const { name = 'app-one', envNames = [] } = o
  const appCompose = Buffer.from(JSON.stringify({ ...LEAST, ...more }))
  return { order: DeployOrder.parse({ name, appCompose: digestOf(appCompose), options }), appCompose, envNames }
}
const refusal = (code: string, ...fields: string[]) =>
  expect.objectContaining(fields.length === 0 ? { code } : { code, data: { fields }, retryable: false })

describe('an order in the words of Phala Cloud', () => {
  it('has a small instance and the KMS of Phala where it does not say otherwise', () => {
    const compose_file = { docker_compose_file: LEAST.docker_compose_file, allowed_envs: [], name: '' }
    expect(phalaOrder(ordered()).body).toEqual({ name: 'app-one', listed: false, kms: 'PHALA', instance_type: 'tdx.small', compose_file })
  })

  it('has everything that it says of whereabouts and size', () => {
    const options = { node: 16, region: 'us-west', kms: 'Base', image: 'dstack-0.5.6', vcpu: 2, memory: 4096, disk: 40 }
    const { body } = phalaOrder(ordered({}, options))
    const size = { vcpu: 2, memory: 4096, disk_size: 40 }
    expect(body).toMatchObject({ teepod_id: 16, region: 'us-west', kms: 'BASE', image: 'dstack-0.5.6', ...size })
    expect(body).not.toHaveProperty('instance_type')
    expect(phalaOrder(ordered({}, { instanceType: 'tdx.large' })).body).toMatchObject({ instance_type: 'tdx.large' })
  })

  it.each([
    ['a key of its author’s', { x_note: 1 }, 'x_note'],
    ['a script before the engine', { init_script: 'true' }, 'init_script'],
    ['no way to see what runs', { public_tcbinfo: false }, 'public_tcbinfo'],
    ['a manifest that only newer guests read', { manifest_version: '3' }, 'manifest_version'],
    ['another runner', { runner: 'bash' }, 'runner'],
    ['a key provider', { key_provider: 'none' }, 'key_provider'],
    ['no compose file', { docker_compose_file: undefined }, 'docker_compose_file'],
    ['more than it takes', { docker_compose_file: '#'.repeat(200 * 1024), pre_launch_script: '#' }, 'docker_compose_file'],
  ])('leaves out nothing silently: %s', (_, more, field) => {
    expect(() => phalaOrder(ordered(more))).toThrow(refusal('target-order-unsupported', field))
  })

  it('names a KMS that there is, and a name that is one', () => {
    expect(() => phalaOrder(ordered({}, { kms: 'phala-prod8' }))).toThrow(refusal('target-order-unsupported', 'kms'))
    expect(() => phalaOrder(ordered({}, {}, { name: 'app--one' }))).toThrow(refusal('target-order-unsupported', 'name'))
  })

  it('takes environment that the app-compose allows, and no other', () => {
    expect(phalaOrder(ordered({ allowed_envs: ['A', 'B'] }, {}, { envNames: ['B'] })).told.allowed_envs).toEqual(['A', 'B'])
    expect(() => phalaOrder(ordered({ allowed_envs: ['A'] }, {}, { envNames: ['B'] }))).toThrow(refusal('target-environment-undeclared'))
    expect(() => phalaOrder(ordered({}, {}, { envNames: ['B'] }))).toThrow(refusal('target-environment-undeclared'))
  })

  it('ends by a code of ours whatever bytes are ordered', () => {
    const json = fc.json().map((text) => Buffer.from(text))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), json), (appCompose) => {
        const order = DeployOrder.parse({ name: 'app-one', appCompose: digestOf(appCompose) })
        expect(() => phalaOrder({ order, appCompose, envNames: [] })).toThrow(refusal('target-order-unsupported'))
      }),
    )
  })
})

describe('a prediction', () => {
  const predict = (more: object, made: string, scripts: readonly string[] = []) => {
    const one = ordered(more)
    const bytes = predictedBytes({ ordered: one.appCompose, order: phalaOrder(one), name: 'app-one', scripts }, digestOf(made))
    return bytes === null ? null : Buffer.from(bytes).toString()
  }
  const text = fc.string({ unit: 'grapheme', maxLength: 60 })

  it('is what was ordered, its keys sorted or not, indented as in earlier years or not', () => {
    fc.assert(
      fc.property(text, text, (script, file) => {
        const value = {
          docker_compose_file: file,
          manifest_version: 2,
          name: 'app-one',
          pre_launch_script: script,
          runner: 'docker-compose',
        }
        const unsorted = { ...LEAST, ...value }
        for (const made of [JSON.stringify(unsorted), JSON.stringify(value), pythons(value)]) expect(predict(unsorted, made)).toBe(made)
      }),
    )
  })

  it('is what was told with what is known to be added, a known script among it', () => {
    const added = { features: ['kms', 'tproxy-net'], gateway_enabled: true, kms_enabled: true, local_key_provider_enabled: false }
    const more = { manifest_version: 2, name: 'app-one', no_instance_id: false, pre_launch_script: 'a script', public_tcbinfo: true }
    const told = { allowed_envs: [], docker_compose_file: LEAST.docker_compose_file }
    const made = JSON.stringify({ ...told, ...added, ...more, runner: 'docker-compose', secure_time: false })
    expect(predict({}, made, ['another', 'a script'])).toBe(made)
    expect(predict({}, made)).toBeNull()
    // A script that was told is not another’s.
    expect(predict({ pre_launch_script: 'mine' }, made, ['a script'])).toBeNull()
  })

  it('is never bytes of another hash', () => {
    fc.assert(
      fc.property(fc.string(), (made) => {
        expect(predict({}, made, ['a script'])).toBeNull()
      }),
    )
  })
})

/** As Python writes it with `indent=4, separators=(',', ':')`, for what is flat. */
function pythons(value: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(value).map(([key, one]) => `    ${JSON.stringify(key)}:${JSON.stringify(one)}`)
  return `{\n${lines.join(',\n')}\n}`
}
