import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { APP_COMPOSE, APP_ID, COMPOSE_HASH, digest, POLICY } from '../src/app/gate/testing/passing.ts'
import { AppView, DeploymentAnswer, ObservationAnswer } from '../src/app/service/deployment-documents.ts'
import { orderOf } from './deploying.ts'
import { ServePlace } from './serve-process.ts'
import { DstackVmmStandIn } from './stand-ins/dstack-vmm.ts'
import { startStandInGateway } from './stand-ins/guest-agent.ts'
import { IMAGE } from './stand-ins/vmm-guests.ts'

const TOKEN = 'a-token-of-the-vmm'

let place: ServePlace
let vmm: DstackVmmStandIn
let environment: Record<string, string>

beforeEach(async () => {
  place = await ServePlace.make('pglite')
  vmm = await DstackVmmStandIn.start({ token: TOKEN, gateway: 'gateway.example' })
  await mkdir(place.home, { mode: 0o700 })
  const file = (name: string): string => path.join(place.home, name)
  await writeFile(file('vmm-token'), TOKEN)
  const target = { name: 'rack', kind: 'dstack-vmm', address: vmm.url.href, token: file('vmm-token'), osImages: { [IMAGE]: digest('d') } }
  await writeFile(file('targets.yaml'), stringify({ targets: [{ ...target, owners: ['local:*'], policies: ['production', 'observing'] }] }))
  await mkdir(file('policies'))
  await writeFile(path.join(file('policies'), 'observing.yaml'), stringify({ ...POLICY, name: 'observing', mode: 'observe' }))
  await writeFile(path.join(file('policies'), 'production.yaml'), stringify(POLICY))
  environment = { BITWITNESS_TARGETS: file('targets.yaml'), BITWITNESS_POLICIES: file('policies') }
})
afterEach(async () => {
  await vmm[Symbol.asyncDispose]()
  await place[Symbol.asyncDispose]()
})

it('serves deployments to the targets of its file, through kills, and looks at what runs', async () => {
  let service = await place.serve({ args: ['--no-worker'], environment })
  const scopes = ['submit', 'admit', 'deploy'].flatMap((scope) => ['--scope', scope])
  const authorization = `Bearer ${(await place.cli(['token', 'create', 'test', ...scopes])).stdout.trim()}`
  const post = async (target: string, type: string, body: string) =>
    await fetch(new URL(target, service.url), { method: 'POST', headers: { authorization, 'content-type': type }, body })
  const order = async (policy: string, name: string): Promise<string> => {
    const body = orderOf({ target: 'rack', policy }, { name, appId: APP_ID, live: { port: 8080 }, options: { image: IMAGE } })
    const answer = await post('v1/deployments', 'application/json', JSON.stringify(body))
    expect(answer.status).toBe(202)
    return DeploymentAnswer.parse(await answer.json()).id
  }
  const until = async (id: string, ...states: readonly string[]): Promise<DeploymentAnswer> => {
    for (let round = 0; round < 600; round += 1) {
      const found = DeploymentAnswer.parse(JSON.parse((await service.get(`v1/deployments/${id}`)).body))
      if (states.includes(found.state)) return found
      await sleep(100)
    }
    throw new Error('it does not end')
  }
  expect((await post('v1/uploads', 'application/octet-stream', APP_COMPOSE)).status).toBe(201)
  expect(JSON.parse((await service.get('v1/targets')).body)).toEqual({
    items: [{ name: 'rack', kind: 'dstack-vmm', policies: ['production', 'observing'] }],
  })

  // Nothing is attested here: the policy that enforces denies, and nothing is started.
  const denied = await until(await order('production', 'app-denied'), 'running', 'denied', 'failed')
  expect([denied.state, vmm.everStarted, vmm.present.length]).toEqual(['denied', 0, 0])

  const id = await order('observing', 'app-one')
  await until(id, 'offered', 'allowed', 'committing', 'committed', 'running')
  await service.end('SIGKILL')
  service = await place.serve({ args: ['--no-worker'], environment })
  const { state, app, url, composeHash } = await until(id, 'running', 'denied', 'failed')
  expect([state, app, composeHash, vmm.everStarted]).toEqual(['running', APP_ID, COMPOSE_HASH, 1])
  expect(url).toBe(`https://${APP_ID}-8080.gateway.example`)
  // Its gateway is on no list: it is not asked, and that is said.
  let view = AppView.parse(JSON.parse((await service.get(`v1/apps/${APP_ID}`)).body))
  for (let round = 0; round < 300 && view.observation === null; round += 1) {
    await sleep(100)
    view = AppView.parse(JSON.parse((await service.get(`v1/apps/${APP_ID}`)).body))
  }
  expect(view.observation).toMatchObject({ deployment: id, verdict: null, code: 'gateway-not-listed' })
  await service.end()
  expect(service.process.stderr).not.toContain(TOKEN)
  expect(JSON.stringify(view)).not.toContain(TOKEN)
})

it('looks at what was announced through its gateway, by what stands in for hardware', async () => {
  await using gateway = await startStandInGateway()
  gateway.start({ appId: APP_ID, appCompose: APP_COMPOSE, osImageHash: digest('d'), mrConfig: 2 })
  const file = (name: string): string => path.join(place.home, name)
  await Promise.all([writeFile(file('authority.pem'), gateway.authority), writeFile(file('root.pem'), gateway.root)])
  const looking = {
    BITWITNESS_GATEWAYS: gateway.setting,
    BITWITNESS_SIMULATED_ROOT: file('root.pem'),
    NODE_EXTRA_CA_CERTS: file('authority.pem'),
  }
  await using service = await place.serve({ args: ['--no-worker'], environment: { ...environment, ...looking } })
  const token = (await place.cli(['token', 'create', 'test', '--scope', 'deploy'])).stdout.trim()
  const url = gateway.url(APP_ID, { port: 8080 })
  const answer = await fetch(new URL('v1/deployments', service.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'announced', name: 'app-one', app: APP_ID, composeHash: COMPOSE_HASH, url }),
  })
  expect(answer.status).toBe(202)
  const seen = async () => AppView.parse(JSON.parse((await service.get(`v1/apps/${APP_ID}`)).body)).observation
  let observation = await seen()
  for (let round = 0; round < 300 && observation === null; round += 1) {
    await sleep(100)
    observation = await seen()
  }
  expect(observation).toMatchObject({ url, verdict: 'simulated', code: null, count: 1 })
  const { inspection } = ObservationAnswer.parse(JSON.parse((await service.get(observation?.links.self ?? '')).body))
  expect(inspection).toMatchObject({ app: { id: APP_ID, composeHash: COMPOSE_HASH }, policy: null })
})

it('does not serve with a file of targets that cannot be taken', async () => {
  await writeFile(path.join(place.home, 'targets.yaml'), 'targets: []')
  const { code, stdout } = await place.cli(['serve', '--no-worker', '--json'], environment)
  expect([code, JSON.parse(stdout)]).toMatchObject([2, { code: 'targets-malformed' }])
})
