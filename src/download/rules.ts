import { isPublicAddress } from '../../verifier/address/public-address.ts'
import type { DownloadRules } from './download.ts'

/** Bytes may be fetched from where sources may be: by https from the public internet, unless whoever runs this allows more. */
export function downloadRules(
  allowed: { readonly plainHttp: boolean; readonly privateHosts: boolean },
  bounds: Pick<DownloadRules, 'maxBytes' | 'seconds'>,
): DownloadRules {
  return { ...bounds, plainHttp: allowed.plainHttp, mayConnect: allowed.privateHosts ? () => true : isPublicAddress }
}
