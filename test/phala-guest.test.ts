import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { deploying } from '../src/dstack/testing/deploying.ts'
import { FULL, targetAt } from '../src/dstack/testing/phala-trial.ts'
import { digestOf } from '../verifier/bytes/digest-of.ts'
import { type StandInGateway, startStandInGateway } from './stand-ins/guest-agent.ts'
import { PhalaCloudStandIn } from './stand-ins/phala-cloud.ts'

/** What a guest says of itself at the port of its agent, by way of the gateway. */
async function asked(gateway: StandInGateway, appId: string): Promise<{ status: number; body: string }> {
  const { hostname } = new URL(gateway.url(appId, { port: 8090 }))
  const { port, authority } = gateway
  const options = { host: '127.0.0.1', port, path: '/prpc/Info', servername: hostname, headers: { host: hostname }, ca: authority }
  const [answer] = (await once(request(options).end(), 'response')) as [IncomingMessage]
  return { status: answer.statusCode ?? 0, body: await text(answer) }
}

it('what is deployed at the stand-in runs behind a gateway, shows what was decided, and is gone once it is stopped', async () => {
  await using gateway = await startStandInGateway()
  await using cloud = await PhalaCloudStandIn.start({
    gateway: gateway.base,
    startGuest: async (guest) => {
      gateway.start(guest)
      return await Promise.resolve({ stop: async () => await Promise.resolve(gateway.stop(guest.appId)) })
    },
  })
  const target = targetAt(cloud)
  const { state, deployment, asked: decided } = await deploying({ target, appCompose: FULL })
  const [cvm] = cloud.world.cvms
  const appId = cvm?.appId ?? ''
  expect([state, decided.map(({ osImageHash }) => osImageHash)]).toEqual(['running', [expect.stringMatching(/^[0-9a-f]{64}$/)]])
  const running = deployment.events.findLast(({ kind }) => kind === 'state')
  expect(running).toMatchObject({ state: { appId, instanceId: cvm?.instanceId, gatewayDomain: gateway.base } })
  const info = await asked(gateway, appId)
  expect([info.status, JSON.parse(info.body)]).toEqual([200, expect.objectContaining({ app_id: appId, compose_hash: digestOf(FULL) })])
  await target.stop(cvm?.vmUuid.replaceAll('-', '') ?? '', new AbortController().signal)
  expect((await asked(gateway, appId)).status).toBe(404)
})
