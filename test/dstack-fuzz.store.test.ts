import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { APP_ID, BOOT, COMPOSE_HASH, digest } from '../src/app/gate/testing/passing.ts'
import { Random } from '../verifier/compare/testing/random.ts'
import { GATEWAY_APP, GateService, KMS_BOOT } from './gate-service.ts'
import { malformedQuestion, type Question, WAYS_OF_MALFORMING, type Webhook } from './malformed-questions.ts'
import { exchange } from './stand-ins/posted.ts'

const SEED = 20_260_101
const LONG = 'x'.repeat(65)

const OF_KMS = {
  hex: ['mrAggregated', 'osImageHash', 'mrSystem', 'appId', 'composeHash', 'deviceId'],
  instance: 'instanceId',
  wrong: {
    teeVariant: ['', LONG, 1, null, []],
    keyProviderInfo: ['0', 'gg', '0x0', ' ', null, 1, [], '\uff11\uff11'],
    tcbStatus: [null, 1, true, [], {}, ['UpToDate'], LONG],
    advisoryIds: [
      null,
      '',
      'INTEL-SA-00001',
      {},
      { length: 0 },
      [1],
      [null],
      [[]],
      [LONG],
      Array.from({ length: 257 }, () => 'a'),
      0,
      false,
    ],
  },
  foreign: GATEWAY_APP,
}
const HOOKS: readonly Webhook[] = [
  { ...OF_KMS, path: '/bootAuth/app', valid: BOOT },
  { ...OF_KMS, path: '/bootAuth/kms', valid: KMS_BOOT },
  {
    path: '/app-auth',
    valid: GATEWAY_APP,
    hex: ['app_id', 'compose_hash', 'device_id', 'mr_system', 'mr_aggregated', 'os_image_hash'],
    instance: 'instance_id',
    wrong: {
      key_provider_info: ['0', 'gg', '0x0', ' ', null, 1, []],
      init_script_hashes: ['', {}, 0, false, [1], [null], ['0'], ['gg'], Array.from({ length: 6 }, () => digest('1'))],
    },
    foreign: BOOT,
  },
]

type Told = { readonly status: number; readonly body: string }

describe('questions that no webhook understands', () => {
  let gate: GateService
  beforeAll(async () => {
    gate = await GateService.open()
    // Whatever it understands it allows: what is not allowed there was not understood.
    gate.put('observing', { mode: 'observe' })
  })
  afterAll(async () => {
    await gate[Symbol.asyncDispose]()
  })

  const inProcess = async (path: string, { body, headers }: Omit<Question, 'how'>, policy: string): Promise<Told> => {
    const response = await gate.app.request(`/v1/dstack/${policy}${path}`, { method: 'POST', headers, body: Buffer.from(body) })
    return { status: response.status, body: await response.text() }
  }
  const overSocket = async (path: string, { body, headers }: Omit<Question, 'how'>, policy: string): Promise<Told> => {
    const answer = await exchange({ method: 'POST', url: `${gate.url(policy)}${path}`, headers, body })
    return { status: answer.status, body: answer.body.toString() }
  }

  /** What was answered with anything but a 4xx that says no. */
  async function understood(o: {
    readonly count: number
    readonly seed: number
    readonly send: typeof inProcess
  }): Promise<{ readonly wrong: readonly string[]; readonly ways: number }> {
    const random = new Random(o.seed)
    const wrong: string[] = []
    const ways = new Set<string>()
    for (let number = 0; number < o.count && wrong.length < 5; number += 1) {
      const hook = HOOKS[number % HOOKS.length] ?? fail()
      const question = malformedQuestion(random, hook)
      const { status, body } = await o.send(hook.path, question, 'observing')
      ways.add(`${hook.path} ${question.how}`)
      const refused = status >= 400 && status < 500 && (JSON.parse(body) as { isAllowed?: unknown }).isAllowed === false
      if (!refused)
        wrong.push(`${number} ${hook.path} ${question.how}: ${status} ${body} to ${Buffer.from(question.body).toString().slice(0, 900)}`)
      gate.service.answers.length = 0
    }
    return { wrong, ways: ways.size }
  }

  const ALL = { wrong: [], ways: HOOKS.length * WAYS_OF_MALFORMING.length }

  it('would be allowed if they were well-formed', async () => {
    for (const { path, valid } of HOOKS)
      for (const policy of ['production', 'observing'])
        for (const send of [inProcess, overSocket]) {
          const { status, body } = await send(
            path,
            { body: Buffer.from(JSON.stringify(valid)), headers: { 'content-type': 'application/json' } },
            policy,
          )
          expect([path, status, body === '' || (JSON.parse(body) as { isAllowed: unknown }).isAllowed]).toEqual([
            path,
            path === '/app-auth' ? 204 : 200,
            true,
          ])
        }
  })

  it(`are refused, a hundred thousand of them (seed ${SEED})`, async () => {
    expect(await understood({ count: 100_000, seed: SEED, send: inProcess })).toEqual(ALL)
  }, 600_000)

  it(`are refused over a socket (seed ${SEED + 1})`, async () => {
    expect(await understood({ count: 2000, seed: SEED + 1, send: overSocket })).toEqual(ALL)
  }, 600_000)

  it(`are not allowed where they are understood, and one thing in them is not what it was (seed ${SEED + 2})`, async () => {
    const random = new Random(SEED + 2)
    const nibble = (value: string): string => {
      const at = random.below(value.length)
      const other = ((Number.parseInt(value[at] ?? '', 16) + 1 + random.below(15)) % 16).toString(16)
      return `${random.below(2) === 0 ? '0x' : ''}${value.slice(0, at)}${other}${value.slice(at + 1)}`
    }
    const statuses = [
      '',
      'uptodate',
      'UPTODATE',
      'UpToDate ',
      ' UpToDate',
      'UpToDate\0',
      'Up\u200bToDate',
      'OutOfDate',
      'Revoked',
      'null',
      '*',
    ]
    const allowed: string[] = []
    for (let number = 0; number < 600; number += 1) {
      const status = { tcbStatus: random.pick(statuses) }
      const advisory = { advisoryIds: [random.pick(['', 'INTEL-SA-00001', '*'])] }
      const app = [
        { appId: nibble(APP_ID) },
        { composeHash: nibble(COMPOSE_HASH) },
        { osImageHash: nibble(BOOT.osImageHash) },
        status,
        advisory,
      ]
      const kms = [{ mrAggregated: nibble(KMS_BOOT.mrAggregated) }, { osImageHash: nibble(BOOT.osImageHash) }, status, advisory]
      const gateway = [{ app_id: nibble(APP_ID) }, { compose_hash: nibble(COMPOSE_HASH) }, { os_image_hash: nibble(BOOT.osImageHash) }]
      const [hook = fail(), changes] = [HOOKS[number % 3], [app, kms, gateway][number % 3] ?? []]
      const body = JSON.stringify({ ...hook.valid, ...random.pick<object>(changes) })
      const told = await inProcess(
        hook.path,
        { body: Buffer.from(body), headers: { 'content-type': 'application/json; charset=utf-8' } },
        'production',
      )
      const said = (JSON.parse(told.body) as { isAllowed?: unknown }).isAllowed
      if (told.status !== (hook.path === '/app-auth' ? 403 : 200) || said !== false) allowed.push(`${told.status} ${told.body} to ${body}`)
    }
    expect(allowed).toEqual([])
  }, 300_000)
})

function fail(): never {
  throw new Error('there are three webhooks')
}
