import type { Setting } from './setting.ts'

/** A gateway of dstack's that guests are asked through; a star in its domain stands for a part of one name. */
export type Gateway = { readonly domain: string; readonly connect: { readonly host: string; readonly port: number } | null }

const MOST = 100

/** Where what runs may be asked. */
export const GATEWAY_SETTINGS = {
  gateways: {
    variable: 'BITWITNESS_GATEWAYS',
    about:
      'Domains of dstack’s gateways whose apps `inspect` may ask, and a deployment follow. With `=HOST:PORT` a domain is connected to there, at a private address too; otherwise where its name leads, if that is public.',
    form: '`DOMAIN` or `DOMAIN=HOST:PORT` entries separated by spaces; a star stands for a part of one name of a domain',
    otherwise: '`dstack-*.phala.network`',
    fallback: (): readonly Gateway[] => [{ domain: 'dstack-*.phala.network', connect: null }],
    read: readGateways,
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>

function readGateways(text: string): readonly Gateway[] | undefined {
  const words = text.trim().split(/\s+/)
  const read = words.slice(0, MOST).map(readGateway)
  const whole = read.filter((one) => one !== undefined)
  return words.length <= MOST && whole.length === read.length ? whole : undefined
}

function readGateway(text: string): Gateway | undefined {
  const [domain = '', connect, ...more] = text.split('=')
  if (more.length > 0 || !isDomain(domain)) return undefined
  if (connect === undefined) return { domain, connect: null }
  const [, bracketed, name, digits] = /^(?:\[([0-9a-f:.]{2,45})\]|([a-zA-Z0-9.-]{1,253})):([1-9][0-9]{0,4})$/.exec(connect) ?? []
  const host = bracketed ?? name
  const port = Number(digits)
  return host === undefined || port > 65_535 ? undefined : { domain, connect: { host, port } }
}

/** Two names at least; the last is nothing but letters, so that no pattern is a whole zone, and no address a domain. */
function isDomain(domain: string): boolean {
  const names = domain.split('.')
  const [last = ''] = names.slice(-1)
  return (
    domain.length <= 200 &&
    names.length >= 2 &&
    /^[a-z]{2,63}$/.test(last) &&
    names.slice(0, -1).every((name) => /^[a-z0-9*](?:[a-z0-9*-]{0,61}[a-z0-9*])?$/.test(name) && name.split('*').length <= 2)
  )
}
