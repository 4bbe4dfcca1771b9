import { Failure } from '../../../verifier/model/failure.ts'
import type { LiveAnswers } from './advance-deployment.ts'
import type { DeployOrder, GuestState } from './deployment.ts'
import { formatGatewayUrl, type GatewayWay } from './gateway-url.ts'

/** The status of an answer over https, within bounds of time and of addresses; null: there was none. Rejects with the signal's reason alone. */
export type AskStatus = (url: string, signal: AbortSignal) => Promise<number | null>

const WAYS: Readonly<Record<NonNullable<DeployOrder['live']>['suffix'], GatewayWay>> = { '': 'http', s: 'tls', g: 'h2' }

/** Asks an app that runs at `/`, and where it says whether it is well; without a gateway, or a port, there is nowhere to ask. */
export async function askLive(
  askStatus: AskStatus,
  { live }: Pick<DeployOrder, 'live'>,
  guest: Pick<GuestState, 'appId' | 'gatewayDomain' | 'gatewayPort'>,
  signal: AbortSignal,
): Promise<LiveAnswers> {
  const url = live === null ? null : liveUrl(live, guest)
  if (live === null || url === null) return { url: null, answers: [] }
  const paths = live.healthPath === null || live.healthPath === '/' ? ['/'] : ['/', live.healthPath]
  // Behind the host as it is: a path that begins with two slashes would name another one.
  const answers = await Promise.all(paths.map(async (path) => ({ path, status: await askStatus(`${url}${path}`, signal) })))
  return { url, answers }
}

/** Null also where what the target says makes no URL. */
function liveUrl(
  { port, suffix }: NonNullable<DeployOrder['live']>,
  { appId, gatewayDomain, gatewayPort }: Pick<GuestState, 'appId' | 'gatewayDomain' | 'gatewayPort'>,
): string | null {
  if (appId === null || gatewayDomain === null) return null
  try {
    return formatGatewayUrl({ id: appId, port, way: WAYS[suffix], base: gatewayDomain, externalPort: gatewayPort })
  } catch (error) {
    if (error instanceof Failure) return null
    throw error
  }
}
