import type { GuestState } from '../app/deploy/deployment.ts'
import { parseGatewayUrl } from '../app/deploy/gateway-url.ts'
import type { VmInfo } from './vmm-documents.ts'

/** Older guest images tell nothing of how far they are. */
const BOOTED = new Set(['done', 'N/A'])

/** What becomes of a guest, by what a VMM says of it; undefined: it is gone. */
export function guestStateOf(info: VmInfo | undefined): GuestState {
  return { status: statusOf(info), appId: hexId(info?.app_id), instanceId: hexId(info?.instance_id), ...gatewayOf(info?.app_url) }
}

function statusOf(info: VmInfo | undefined): GuestState['status'] {
  if (info === undefined) return 'stopped'
  const { status, boot_error, boot_progress } = info
  if (status !== 'running' && status !== 'exited') return 'stopped'
  if (boot_error.trim() !== '') return 'failed'
  if (status === 'exited') return 'stopped'
  return BOOTED.has(boot_progress.trim()) ? 'running' : 'starting'
}

function hexId(text: string | null | undefined): string | null {
  return text != null && /^[0-9a-f]{40}$/.test(text) ? text : null
}

/** It names the guest's agent behind the gateway; of it the gateway alone is taken. */
function gatewayOf(url: string | null | undefined): Pick<GuestState, 'gatewayDomain' | 'gatewayPort'> {
  try {
    const { base, externalPort } = parseGatewayUrl(url ?? '')
    return { gatewayDomain: base, gatewayPort: externalPort }
  } catch {
    return { gatewayDomain: null, gatewayPort: 443 }
  }
}
