import { isPublicAddress } from '../verifier/address/public-address.ts'
import type { Identify } from './app/service/identity.ts'
import { downloadBytes } from './download/download.ts'
import { identifier, type Refusal } from './identity/identify.ts'
import type { IssuerConfig } from './identity/issuer-config.ts'
import type { FetchDocument } from './identity/issuer-keys.ts'
import { readIssuers } from './identity/read-issuers.ts'

const BOUNDS = { maxBytes: 256 * 1024, seconds: 10, stallMs: 5000 }

export type IdentitySettings = {
  /** The file of issuers; null: no identity token counts. */
  readonly issuers: string | null
  /** Of this service, the audience where none is named. */
  readonly publicUrl: URL | null
  readonly now: () => Date
  /** For the log of the operator: who sent the token is not told. */
  readonly onRefused: (why: Refusal) => void
}

/** Who the identity tokens of CI jobs are of. Failures: `issuers-…`. */
export async function openIdentities({ issuers: file, publicUrl, now, onRefused }: IdentitySettings): Promise<Identify> {
  if (file === null) return () => Promise.resolve(undefined)
  const issuers = await readIssuers(file, { publicUrl })
  return identifier({ issuers, fetch: fetchFrom, now, onRefused })
}

/** By https alone, from public addresses unless the operator says otherwise, and never to where a redirect leads. */
function fetchFrom({ authorities, privateHost }: IssuerConfig): FetchDocument {
  const mayConnect = privateHost ? (): boolean => true : isPublicAddress
  const rules = { ...BOUNDS, plainHttp: false, redirects: 0, authorities, mayConnect }
  return async (url) => await downloadBytes(url, rules, new AbortController().signal)
}
