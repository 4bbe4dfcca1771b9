import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import { callbackify } from 'node:util'
import { formatGatewayUrl, type GatewayUrl, parseGatewayUrl } from '../../src/app/deploy/gateway-url.ts'
import { makeGatewayCertificates, makeGuestCertificate } from './gateway-certificates.ts'
import { type GuestFault, instanceOf, type StandInEvidence, type StandInGuest, standInEvidence } from './guest-evidence.ts'

export { type GuestFault, type StandInGuest, standInMeasurement } from './guest-evidence.ts'

/** A gateway of dstack's with the guests behind it, on a port of this machine. No part of it is a test: it can run on its own. */
export type StandInGateway = AsyncDisposable & {
  readonly base: string
  readonly port: number
  /** PEM of the authority of its certificates, for NODE_EXTRA_CA_CERTS. */
  readonly authority: string
  /** PEM of the public key that stands in for Intel's, for --simulated-root. */
  readonly root: string
  /** Entry of BITWITNESS_GATEWAYS that leads here. */
  readonly setting: string
  /** Starts a guest, in place of one of the same app. */
  start(guest: StandInGuest): void
  stop(appId: string): void
  /** URL of a port of an app; 80 if not given. */
  url(appId: string, o?: Partial<Pick<GatewayUrl, 'port' | 'way' | 'path'>>): string
  /** What was asked, in order: `METHOD host path`. */
  readonly asked: readonly string[]
}

type Running = { readonly guest: StandInGuest; readonly evidence: StandInEvidence; own: SecureContext | undefined }

const HUGE = 64 << 20

/** Starts a gateway of no app. */
export async function startStandInGateway(o: { readonly base?: string } = {}): Promise<StandInGateway> {
  const base = o.base ?? 'dstack-stand-in.example.com'
  const { authority, key, cert } = await makeGatewayCertificates(base)
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const guests = new Map<string, Running>()
  const asked: string[] = []
  const find = (host: string): { readonly address: GatewayUrl; readonly running: Running } | undefined => {
    const address = addressOf(host, base)
    const running = address === undefined ? undefined : guests.get(address.id)
    return address === undefined || running === undefined ? undefined : { address, running }
  }
  const gateway = createSecureContext({ key, cert })
  const server = createServer({
    SNICallback: (name, done) => {
      const found = find(name)
      if (found?.address.way !== 'tls') return done(null, gateway)
      callbackify(() => ownContext(found.running, name, keyOf(found.running.guest)))(done)
    },
  })
  const keyOf = ({ faults }: StandInGuest): KeyObject => (faults?.has('foreign-key') === true ? foreign : privateKey)
  server.on('request', (request, response) => {
    const host = request.headers.host ?? ''
    asked.push(`${request.method} ${host} ${request.url}`)
    const found = find(host)
    if (found === undefined) return void response.writeHead(404, { 'content-length': '0' }).end()
    answer(request, response, found.address, found.running)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    base,
    port,
    authority,
    root: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    setting: `${base}=127.0.0.1:${port}`,
    asked,
    start(guest) {
      const evidence = standInEvidence(guest, keyOf(guest), sha512(`dip1::secp256k1c-pk:${guest.appId}`))
      const running: Running = { guest, evidence, own: undefined }
      for (const id of [guest.appId, guest.instanceId ?? instanceOf(guest.appId)]) guests.set(id, running)
    },
    stop(appId) {
      for (const [id, { guest }] of guests) if (guest.appId === appId) guests.delete(id)
    },
    url: (id, { port: inside = 80, way = 'http', path = '/' } = {}) =>
      formatGatewayUrl({ id, port: inside, way, base, externalPort: 443, path }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function addressOf(host: string, base: string): GatewayUrl | undefined {
  try {
    const address = parseGatewayUrl(`https://${host}`)
    return address.base === base ? address : undefined
  } catch {
    return undefined
  }
}

async function ownContext(running: Running, name: string, key: KeyObject): Promise<SecureContext> {
  running.own ??= createSecureContext(
    await makeGuestCertificate(name, (own) => standInEvidence(running.guest, key, ratlsReport(own)).quote),
  )
  return running.own
}

/** As dstack binds a key of TLS to a quote. */
function ratlsReport(publicKey: KeyObject): Buffer {
  const spki = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })).export({ type: 'spki', format: 'der' })
  return createHash('sha512').update('ratls-cert:').update(spki).digest()
}

function sha512(text: string): Buffer {
  return createHash('sha512').update(text).digest()
}

function answer(request: IncomingMessage, response: ServerResponse, address: GatewayUrl, running: Running): void {
  const has = (fault: GuestFault): boolean => running.guest.faults?.has(fault) === true
  if (has('slow-answers')) return
  if (has('redirects')) return void response.writeHead(302, { location: 'https://evil.example/', 'content-length': '0' }).end()
  const [status, body] = address.port === 8090 ? agentAnswer(request, running, has) : appAnswer(request, has)
  if (has('huge-answers')) return pour(response)
  const bytes = Buffer.from(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': String(bytes.length) })
  if (!has('half-answers')) return void response.end(bytes)
  response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy())
}

/** Chunks without end. */
function pour(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  const chunk = Buffer.alloc(1 << 20, 0x20)
  let sent = 0
  const more = (): void => {
    while (!response.destroyed && sent < HUGE) {
      sent += chunk.length
      if (!response.write(chunk)) return void response.once('drain', more)
    }
    response.end()
  }
  more()
}

type Has = (fault: GuestFault) => boolean

function appAnswer(request: IncomingMessage, has: Has): [status: number, body: string] {
  const [path = ''] = (request.url ?? '').split('?')
  if (path === '/') return [200, 'an app']
  if (path === '/health' || path === '/healthz') return has('unhealthy') ? [503, 'unwell'] : [200, 'well']
  return [404, 'nothing']
}

function agentAnswer(request: IncomingMessage, { guest, evidence }: Running, has: Has): [status: number, body: string] {
  const [path = ''] = (request.url ?? '').split('?')
  if (has('no-json')) return [200, '<html>an app of another kind</html>']
  const isInfo = path === '/prpc/Worker.Info' || (path === '/prpc/Info' && !has('old-info'))
  if (request.method === 'GET' && isInfo && !has('no-info')) return [200, JSON.stringify(infoOf(guest, evidence, has))]
  if (request.method === 'POST' && path === '/prpc/GetAttestationForAppKey' && !has('no-attestation')) {
    const { quote, log, reportData } = evidence
    const shown = { quote: quote.toString('hex'), event_log: JSON.stringify(log), report_data: reportData.toString('hex') }
    return [200, JSON.stringify({ ...shown, vm_config: JSON.stringify({ os_image_hash: guest.osImageHash }) })]
  }
  return [404, JSON.stringify({ error: 'no such method' })]
}

function infoOf(guest: StandInGuest, { registers, log }: StandInEvidence, has: Has): object {
  const { appId, appCompose, osImageHash } = guest
  const composeHash = createHash('sha256').update(appCompose).digest('hex')
  const shown = has('wrong-compose') ? `${appCompose} ` : appCompose
  const tcb = { ...registers, os_image_hash: osImageHash, compose_hash: composeHash, device_id: '', event_log: log, app_compose: shown }
  return {
    app_id: appId,
    instance_id: has('other-instance') ? 'ff'.repeat(20) : (guest.instanceId ?? instanceOf(appId)),
    app_cert: '',
    tcb_info: has('hidden-compose') ? '' : JSON.stringify(tcb),
    app_name: guest.name ?? 'app',
    device_id: createHash('sha256').digest('hex'),
    mr_aggregated: '0'.repeat(64),
    os_image_hash: osImageHash,
    key_provider_info: '',
    compose_hash: composeHash,
    vm_config: has('hidden-compose') ? '' : JSON.stringify({ os_image_hash: osImageHash }),
    cloud_vendor: '',
    cloud_product: '',
  }
}
