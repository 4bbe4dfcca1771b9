import { Failure } from '../../../verifier/model/failure.ts'

/** How a gateway passes on what it is sent: it ends TLS and speaks HTTP, or HTTP/2, to the app; or it passes TLS through. */
export type GatewayWay = 'http' | 'h2' | 'tls'

/** Where a dstack gateway leads to. */
export type GatewayUrl = {
  /** Of an app or of an instance, 40 hexadecimal digits; or `gateway`, the gateway itself. */
  readonly id: string
  /** In the guest. */
  readonly port: number
  readonly way: GatewayWay
  /** Domain of the gateway. */
  readonly base: string
  /** On which the gateway listens. */
  readonly externalPort: number
  /** From the first slash on, without a query. */
  readonly path: string
}

const SUFFIX: Readonly<Record<GatewayWay, string>> = { http: '', h2: 'g', tls: 's' }
const FORM = 'a gateway’s URL is https://APP_ID-PORT.DOMAIN, with the id of an app or an instance: 40 hexadecimal digits'

/**
 * Reads `https://{app|instance}[-[port][s|g]].{base}[:port][/path]` (dstack, gateway/src/proxy.rs, `parse_dst_info`). Without a port in the
 * guest it is 443 where TLS is passed through, else 80. Fails with `gateway-url-malformed`, and with `gateway-url-domain` for a domain that is
 * no gateway's.
 */
export function parseGatewayUrl(text: string): GatewayUrl {
  const url = text.length <= 2048 ? URL.parse(text) : null
  if (url === null) throw malformed('it is no URL')
  if (url.protocol !== 'https:') throw malformed('a gateway speaks https only')
  if (url.username !== '' || url.password !== '') throw malformed('it holds a user name or a password')
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(text)) throw malformed('it holds a query or a fragment')
  const dot = url.hostname.indexOf('.')
  const [label, base] = [url.hostname.slice(0, Math.max(0, dot)), url.hostname.slice(dot + 1)]
  if (/(?:^|\.)pa\.phala\.network$/.test(base)) throw wrongDomain(label)
  if (!isDomain(base)) throw malformed('no domain of a gateway follows its first dot')
  const externalPort = url.port === '' ? 443 : Number(url.port)
  if (externalPort === 0) throw malformed('a gateway listens on no port 0')
  return { ...parseLabel(label), base, externalPort, path: url.pathname }
}

/** The URL that `parseGatewayUrl` reads as this, in its one spelling. Fails as it does where there is none. */
export function formatGatewayUrl({ id, port, way, base, externalPort, path }: Omit<GatewayUrl, 'path'> & Partial<GatewayUrl>): string {
  const label = id === 'gateway' ? id : `${id}-${port}${SUFFIX[way]}`
  const text = `https://${label}.${base}${externalPort === 443 ? '' : `:${externalPort}`}${path === undefined || path === '/' ? '' : path}`
  const read = parseGatewayUrl(text)
  const same = read.id === id && read.port === port && read.way === way && read.base === base && read.externalPort === externalPort
  if (!same || read.path !== (path ?? '/')) throw malformed('a part of it means something else in a URL')
  return text
}

function parseLabel(label: string): Pick<GatewayUrl, 'id' | 'port' | 'way'> {
  const [id = '', target, ...more] = label.split('-')
  if (more.length > 0) throw malformed('more than a port stands behind the id')
  if (id === 'gateway') {
    if (target !== undefined) throw malformed('the gateway itself has no port to choose')
    return { id, port: 80, way: 'http' }
  }
  if (!/^[0-9a-f]{40}$/.test(id)) throw malformed('it does not begin with the id of an app or an instance')
  const [, digits, suffix] = /^(0|[1-9][0-9]{0,4})?([sg])?$/.exec(target ?? '') ?? []
  if (target !== undefined && digits === undefined && suffix === undefined && target !== '')
    throw malformed(/^[0-9]*(?:sg|gs)$/.test(target) ? 'either s or g stands behind the port' : 'no port stands behind the id')
  const way = suffix === 's' ? 'tls' : suffix === 'g' ? 'h2' : 'http'
  const port = digits === undefined ? (way === 'tls' ? 443 : 80) : Number(digits)
  if (port === 0 || port > 65_535) throw malformed('a port is a number from 1 to 65535')
  return { id, port, way }
}

/** Names of a domain, two at least, and no address. */
function isDomain(base: string): boolean {
  return base.length <= 200 && /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(base)
}

function malformed(why: string): Failure {
  return new Failure({ code: 'gateway-url-malformed', message: `no URL of a gateway: ${why}`, hint: FORM })
}

function wrongDomain(label: string): Failure {
  const [, id, target] = /^([0-9a-f]{40})(-[0-9]{1,5}[sg]?)?$/.exec(label) ?? []
  const right = `https://${id ?? 'APP_ID'}${target ?? '-PORT'}.dstack-REGION.phala.network`
  return new Failure({
    code: 'gateway-url-domain',
    message: 'pa.phala.network is no domain of a gateway',
    hint: `${right} is the form, and the answer of the deployment names the domain: gateway.base_domain, as dstack-pha-prod7.phala.network`,
  })
}
