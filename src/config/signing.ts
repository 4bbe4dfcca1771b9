import { Failure } from '../../verifier/model/failure.ts'
import type { Settings } from './settings.ts'
import type { TokenPlace } from './signing-settings.ts'

/** Fulcio, a log and a timestamp authority that belong together. An entry of version 2 has no time of its own. */
export type SigstoreServers = {
  readonly fulcio: URL
  readonly log:
    | { readonly version: 1; readonly rekor: URL; readonly tsa: URL | null }
    | { readonly version: 2; readonly rekor: URL; readonly tsa: URL }
}

/** How statements are signed, as the settings say; no secret is in it. */
export type SigningConfig = { readonly trustedRoot: string | null; readonly builderId: string | null } & (
  | {
      readonly mode: 'key'
      /** Null: the one of the home. */
      readonly keyFile: string | null
      readonly tsa: URL | null
    }
  | {
      readonly mode: 'sigstore'
      readonly servers: SigstoreServers
      readonly token: TokenPlace
      readonly bearer: string | null
    }
)

const PUBLIC_GOOD = {
  fulcio: new URL('https://fulcio.sigstore.dev/'),
  rekor: new URL('https://rekor.sigstore.dev/'),
  tsa: new URL('https://timestamp.sigstore.dev/api/v1/timestamp'),
} as const

/**
 * Holds the settings of signing against each other. Fails with `setting-conflict` where one of them would send to strangers what another
 * keeps private, or where no verifier could believe what came of them.
 */
export function signingConfig(settings: Settings): SigningConfig {
  const { trustedRoot, builderId, tsaUrl, identityToken: token, identityTokenBearer: bearer } = settings
  const both = { trustedRoot, builderId }
  if (settings.signer === 'key') return { ...both, mode: 'key', keyFile: settings.keyFile, tsa: tsaUrl === 'none' ? null : tsaUrl }
  if (bearer !== null && token.kind !== 'url')
    throw conflict('BITWITNESS_IDENTITY_TOKEN_BEARER is set, and BITWITNESS_IDENTITY_TOKEN is no URL')
  const own = ownServers(settings)
  if (own !== null && trustedRoot === null)
    throw conflict('nobody can check what servers of your own sign without their trusted root, in BITWITNESS_TRUSTED_ROOT')
  if (own !== null) return { ...both, mode: 'sigstore', servers: own, token, bearer }
  if (tsaUrl !== null && tsaUrl !== 'none')
    throw conflict('BITWITNESS_TSA_URL is set for the public good instance, which has its own timestamp authority')
  const { fulcio, rekor, tsa } = PUBLIC_GOOD
  const servers: SigstoreServers = { fulcio, log: { version: 1, rekor, tsa: tsaUrl === 'none' ? null : tsa } }
  return { ...both, mode: 'sigstore', servers, token, bearer }
}

/** Null where none are set. */
function ownServers({ fulcioUrl: fulcio, rekorUrl: rekor, rekorVersion: version, tsaUrl }: Settings): SigstoreServers | null {
  if (fulcio === null && rekor === null) {
    if (version === 1) return null
    throw conflict('BITWITNESS_REKOR_VERSION=2 is for a server of your own, in BITWITNESS_REKOR_URL')
  }
  if (fulcio === null || rekor === null)
    throw conflict('BITWITNESS_FULCIO_URL and BITWITNESS_REKOR_URL go together: a private identity has no business in a public log')
  const tsa = tsaUrl === 'none' ? null : tsaUrl
  if (version === 1) return { fulcio, log: { version, rekor, tsa } }
  if (tsa !== null) return { fulcio, log: { version, rekor, tsa } }
  throw conflict('Rekor v2 needs a timestamp authority, in BITWITNESS_TSA_URL: its entries carry no time')
}

function conflict(why: string): Failure {
  return new Failure({
    code: 'setting-conflict',
    message: `settings of signing do not go together: ${why}`,
    hint: 'set the one or unset the other: docs/signing.md says which belong together',
  })
}
