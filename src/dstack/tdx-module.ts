import { z } from 'zod'
import { parseStrictJson } from '../../verifier/model/strict-json.ts'

const text = z.string().max(128)
const Level = z.object({
  tcb: z.object({ isvsvn: z.int().nonnegative() }),
  tcbStatus: text,
  advisoryIDs: z.array(text).max(1000).default([]),
})
const Identity = z.object({
  id: text,
  mrsigner: z.string().regex(/^[0-9a-fA-F]{96}$/),
  attributes: z.string().regex(/^[0-9a-fA-F]{16}$/),
  attributesMask: z.string().regex(/^[0-9a-fA-F]{16}$/),
  tcbLevels: z.array(Level).max(1000),
})
const TcbInfo = z.object({ tdxModuleIdentities: z.array(Identity).max(100).default([]) })

/** What a quote says of the TDX module that the guest ran under. */
export type TdxModule = { readonly teeTcbSvn: Uint8Array; readonly mrSignerSeam: Uint8Array; readonly seamAttributes: Uint8Array }

type Tcb = { readonly status: string; readonly advisories: readonly string[] }

/**
 * The state of a platform with that of its TDX module (Intel, DCAP quote verification library, `checkTdxModuleTcbStatus`): modules from version 1.5 on have
 * levels of their own, which the library that verifies quotes does not look at. `tcbInfo` is what Intel signed. Undefined: Intel lists no such
 * module. A pure function.
 */
export function withModule(platform: Tcb, { teeTcbSvn, mrSignerSeam, seamAttributes }: TdxModule, tcbInfo: string): Tcb | undefined {
  const [svn = 0, version = 0] = teeTcbSvn
  // Of the first ones the platform’s own levels say it.
  if (version === 0) return platform
  const { data } = TcbInfo.safeParse(parseStrictJson(Buffer.from(tcbInfo)))
  const id = `TDX_${version.toString(16).padStart(2, '0')}`
  const module = data?.tdxModuleIdentities.find((one) => one.id.toLowerCase() === id.toLowerCase())
  if (module === undefined || !isOf(module, { mrSignerSeam, seamAttributes })) return undefined
  const level = module.tcbLevels.filter(({ tcb }) => tcb.isvsvn <= svn).toSorted((a, b) => b.tcb.isvsvn - a.tcb.isvsvn)[0]
  if (level === undefined || level.tcbStatus === 'Revoked') return undefined
  if (level.tcbStatus === 'UpToDate') return platform
  return { status: outOfDate(platform.status), advisories: [...new Set([...platform.advisories, ...level.advisoryIDs])] }
}

function isOf({ mrsigner, attributes, attributesMask }: z.infer<typeof Identity>, seen: Omit<TdxModule, 'teeTcbSvn'>): boolean {
  const [wanted, mask] = [Buffer.from(attributes, 'hex'), Buffer.from(attributesMask, 'hex')]
  const same = wanted.every((byte, index) => (byte & (mask[index] ?? 0)) === ((seen.seamAttributes[index] ?? 0) & (mask[index] ?? 0)))
  return same && Buffer.from(seen.mrSignerSeam).toString('hex') === mrsigner.toLowerCase()
}

function outOfDate(status: string): string {
  if (status === 'UpToDate' || status === 'SWHardeningNeeded') return 'OutOfDate'
  return status === 'ConfigurationNeeded' || status === 'ConfigurationAndSWHardeningNeeded' ? 'OutOfDateConfigurationNeeded' : status
}
