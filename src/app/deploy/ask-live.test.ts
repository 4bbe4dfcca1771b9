import { expect, it } from 'vitest'
import { askLive } from './ask-live.ts'
import { DeployOrder } from './deployment.ts'

const APP = 'ab'.repeat(20)
const GUEST = { appId: APP, gatewayDomain: 'gateway.example', gatewayPort: 443 }
const signal = new AbortController().signal
const orderOf = (live: object | null) => DeployOrder.parse({ name: 'app-one', appCompose: '1'.repeat(64), live })

async function ask(live: object | null, guest: Parameters<typeof askLive>[2] = GUEST) {
  const asked: string[] = []
  const found = await askLive(
    async (url) => {
      asked.push(url)
      return await Promise.resolve(url.endsWith('/healthz') ? 503 : 200)
    },
    orderOf(live),
    guest,
    signal,
  )
  return { ...found, asked }
}

it('asks an app where its gateway has it, at / and where it says whether it is well', async () => {
  const url = `https://${APP}-8080.gateway.example`
  expect(await ask({ port: 8080, healthPath: '/healthz' })).toEqual({
    url,
    answers: [
      { path: '/', status: 200 },
      { path: '/healthz', status: 503 },
    ],
    asked: [`${url}/`, `${url}/healthz`],
  })
  expect((await ask({ port: 8443, suffix: 's', healthPath: '/' }, { ...GUEST, gatewayPort: 9443 })).asked).toEqual([
    `https://${APP}-8443s.gateway.example:9443/`,
  ])
})

it('asks nobody where no port is named, there is no gateway, or what the target says of it makes no URL', async () => {
  const nobody = { url: null, answers: [], asked: [] }
  expect(await ask(null)).toEqual(nobody)
  expect(await ask({ port: 80 }, { ...GUEST, appId: null })).toEqual(nobody)
  expect(await ask({ port: 80 }, { ...GUEST, gatewayDomain: null })).toEqual(nobody)
  for (const gatewayDomain of ['evil.example/x', '127.0.0.1', 'a@b.example', 'x'])
    expect(await ask({ port: 80 }, { ...GUEST, gatewayDomain })).toEqual(nobody)
})

it('stays at the app’s own host whatever path it is asked at', async () => {
  const { asked } = await ask({ port: 80, healthPath: '//evil.example/x' })
  for (const url of asked) expect(new URL(url).host).toBe(`${APP}-80.gateway.example`)
})
