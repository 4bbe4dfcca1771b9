import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { DeployDocument } from '../src/app/deploy/deploy-document.ts'
import { APP_COMPOSE, APP_ID, BOOT, COMPOSE_HASH, digest } from '../src/app/gate/testing/passing.ts'
import { GateDesk } from '../src/app/service/gate-desk.ts'
import { ran } from '../src/cli/testing/terminal.ts'
import { ApiClient } from '../src/client/api-client.ts'
import { openDeployRoom } from '../src/deploy-room.ts'
import { httpApp } from '../src/http/app.ts'
import { dstackRoutes } from '../src/http/dstack-routes.ts'
import { Secret } from '../verifier/model/secret.ts'
import { HttpService } from './http-service.ts'
import { rebuiltImage, SERVICE_POLICY } from './rebuilt-image.ts'
import { DstackVmmStandIn } from './stand-ins/dstack-vmm.ts'
import { listenFor, type StandInServer } from './stand-ins/listen.ts'
import { IMAGE } from './stand-ins/vmm-guests.ts'
import { databases } from './stores.ts'

describe.each(databases())('a deployment whose KMS asks the service, on %s', (kind) => {
  let service: HttpService
  let server: StandInServer
  let folder: string
  beforeAll(async () => {
    service = await HttpService.open({ kind })
    await service.caller('alice', { scopes: ['submit', 'cancel', 'admit'] })
    await service.caller('bob', { scopes: ['submit', 'cancel'] })
    service.policyFiles.set('production', stringify(SERVICE_POLICY))
    const ports = service.httpPorts()
    const desk = new GateDesk({ ...service.gatePorts, unitOfWork: service.store.unitOfWork })
    const base = (): URL => new URL('https://rebuild.example/')
    const app = httpApp(ports, dstackRoutes({ desk, limits: ports.limits, base }))
    server = await listenFor(async (request) => await app.fetch(request))
    folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-deploy-gate-'))
    await writeFile(path.join(folder, 'app-compose.json'), APP_COMPOSE)
    await rebuiltImage(service, 'alice')
  })
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    await service?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  /** The guest is what it says, or what `says` says of it. */
  async function deployed(name: string, o: { readonly token: string; readonly policy: object; readonly says?: object }) {
    const kms = { webhook: new URL('v1/dstack/production/', server.url), says: { ...BOOT, ...o.says } }
    await using vmm = await DstackVmmStandIn.start({ kms })
    const policy = path.join(folder, `${name}.yaml`)
    await writeFile(policy, stringify(o.policy))
    const file = path.join(folder, `${name}.json`)
    await writeFile(file, APP_COMPOSE)
    const target = ['--target', 'dstack-vmm', '--vmm', vmm.url.href, '--image', IMAGE, '--os-image-hash', digest('d'), '--app-id', APP_ID]
    const words = ['deploy', '--json', '--app-compose', file, '--policy', policy, '--server', server.url.href, '--name', 'app-one']
    const settings = { gateways: [], vmmToken: null, vmmTokenFile: null, phalaKey: null, phalaPrefix: new URL('http://127.0.0.1:1/') }
    const signal = new AbortController().signal
    const token = async () => await Promise.resolve(new Secret(o.token))
    const { exit, stdout, stderr } = await ran(
      [...words, ...target],
      {},
      {
        deploying: async (choice) => await openDeployRoom(settings, choice, signal),
        client: async () => await Promise.resolve(new ApiClient({ server: server.url, token })),
      },
    )
    const document = DeployDocument.safeParse(JSON.parse(stdout)).data
    if (document === undefined) throw new Error(stderr)
    const end = document.deployment?.events.at(-1)
    return {
      exit,
      document,
      why: end?.kind === 'ended' ? end.why.code : null,
      started: vmm.everStarted,
      bootErrors: vmm.guests.map(({ bootError }) => bootError),
    }
  }

  it('by who may not admit is denied before it starts', async () => {
    const { exit, started, document } = await deployed('stranger', { token: 'bob', policy: SERVICE_POLICY })
    expect([exit, started, document.verdict, document.admission?.code]).toEqual([1, 0, 'denied', 'scope-missing'])
  })

  it('that a laxer policy here starts gets no keys, for nobody admitted it there', async () => {
    const lax = { ...SERVICE_POLICY, apps: { [APP_ID]: { ...SERVICE_POLICY.apps[APP_ID], composes: [COMPOSE_HASH] } } }
    const { exit, started, why, bootErrors } = await deployed('lax', { token: 'bob', policy: lax })
    expect([exit, started, why, bootErrors]).toEqual([
      1,
      1,
      'deployment-boot-failed',
      [expect.stringContaining('Boot denied: compose-admitted')],
    ])
  })

  it('by who may admit is admitted, started, and gets its keys', async () => {
    const { exit, started, document } = await deployed('owner', { token: 'alice', policy: SERVICE_POLICY })
    expect([exit, started, document.verdict, document.admission]).toEqual([
      0,
      1,
      'running',
      { app: APP_ID, composeHash: COMPOSE_HASH, admitted: true, code: null },
    ])
  })

  it('on another guest image than the VMM was said to have gets no keys', async () => {
    const { exit, why, bootErrors } = await deployed('other-image', {
      token: 'alice',
      policy: SERVICE_POLICY,
      says: { osImageHash: digest('7') },
    })
    expect([exit, why, bootErrors]).toEqual([1, 'deployment-boot-failed', [expect.stringContaining('os-image')]])
  })
})
