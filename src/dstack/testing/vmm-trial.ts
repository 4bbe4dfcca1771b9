import { DstackVmmStandIn, type VmmOptions } from '../../../test/stand-ins/dstack-vmm.ts'
import { IMAGE } from '../../../test/stand-ins/vmm-guests.ts'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { Secret } from '../../../verifier/model/secret.ts'
import type { Ordered } from '../../app/deploy/deploy-target.ts'
import { DeployOrder } from '../../app/deploy/deployment.ts'
import { DstackVmm } from '../dstack-vmm.ts'

// Spaces and an order that no writer of JSON would keep: the bytes count.
export const BYTES = Buffer.from('{ "runner":"docker-compose",  "name":"app", "umlaut":"\u00fc\u2028", "manifest_version":2 }\n')
export const HASH = digestOf(BYTES)
export const OS_IMAGE = Sha256.parse('5'.repeat(64))
export const GATEWAY = 'gw.example'
export const signal = new AbortController().signal
/** What is closed after a test. */
export const held: AsyncDisposable[] = []

export async function closeVmms(): Promise<void> {
  for (const one of held.splice(0)) await one[Symbol.asyncDispose]()
}

export function ordered(
  change: Partial<DeployOrder> = {},
  o: { readonly bytes?: Uint8Array; readonly envNames?: readonly string[] } = {},
): Ordered {
  const { bytes = BYTES, envNames = [] } = o
  const order = DeployOrder.parse({ name: 'app-one', appCompose: digestOf(bytes), options: { image: IMAGE }, ...change })
  return { order, appCompose: bytes, envNames }
}

export async function openVmm(o: VmmOptions = {}, client: { readonly token?: string; readonly timeoutMs?: number } = {}) {
  const vmm = await DstackVmmStandIn.start({ gateway: GATEWAY, ...o })
  held.push(vmm)
  const target = new DstackVmm({
    address: { url: vmm.url, ...(o.socket === undefined ? {} : { socketPath: o.socket }) },
    token: client.token === undefined ? null : new Secret(client.token),
    timeoutMs: client.timeoutMs ?? 5000,
    osImages: new Map([[IMAGE, OS_IMAGE]]),
  })
  return { vmm, target }
}
