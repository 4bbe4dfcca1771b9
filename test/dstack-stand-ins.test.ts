import { describe, expect, it } from 'vitest'
import { BOOT } from '../src/app/gate/testing/passing.ts'
import { GATEWAY_APP } from './gate-service.ts'
import { GatewayClient } from './stand-ins/gateway-client.ts'
import { KeysRefused, KmsClient, type PolicyBootInfo } from './stand-ins/kms-client.ts'
import { listenFor } from './stand-ins/listen.ts'

describe('the stand-ins for the clients of dstack', () => {
  const yes = '{"isAllowed":true,"gatewayAppId":"gateway","reason":"recovered"}'

  it.each([
    ['no JSON', 200, 'not-json'],
    ['a page', 200, '<html>'],
    ['half of an answer', 200, '{"isAllowed":true,"gatewayAppId":"gateway"'],
    ['no reason', 200, '{"isAllowed":true,"gatewayAppId":"gateway"}'],
    ['no gateway', 200, '{"isAllowed":true,"reason":""}'],
    ['yes as a word', 200, '{"isAllowed":"true","gatewayAppId":"","reason":""}'],
    ['yes with a status that is none', 500, yes],
    ['yes with a status of refusal', 403, yes],
    ['yes, moved', 302, yes],
    ['nothing', 204, ''],
  ])('take %s for no keys, and ask again the next time', async (_, status, text) => {
    const answers = [new Response(status === 204 ? null : text, { status }), new Response(yes)]
    await using server = await listenFor(() => answers.shift() ?? new Response(null, { status: 500 }))
    const client = new KmsClient({ url: server.url.href })
    await expect(client.isAppAllowed(BOOT as PolicyBootInfo, false)).rejects.toBeInstanceOf(KeysRefused)
    expect(await client.isAppAllowed(BOOT as PolicyBootInfo, false)).toEqual({
      isAllowed: true,
      gatewayAppId: 'gateway',
      reason: 'recovered',
    })
  })

  it('take any status below 400 for traffic, and silence for none', async () => {
    let status: number | null = 200
    await using server = await listenFor(() => (status === null ? new Promise<Response>(() => {}) : new Response(null, { status })))
    const client = new GatewayClient({ url: server.url.href, timeoutMs: 100 })
    const said: [number | null, boolean][] = []
    for (status of [200, 204, 302, 304, 400, 403, 404, 500, null]) said.push([status, await client.isAppAuthorized(GATEWAY_APP)])
    expect(said.filter(([, authorized]) => authorized).map(([one]) => one)).toEqual([200, 204, 302, 304])
  })
})
