import type { TokenSource } from '../attestations/sign/identity-token.ts'
import { tokenFromFile, tokenFromGitHub } from '../attestations/sign/token-sources.ts'
import { Failure } from '../verifier/model/failure.ts'
import { ApiClient } from './client/api-client.ts'
import type { CiIdentity } from './config/ci-identity.ts'
import type { Settings } from './config/settings.ts'

export type ClientRoomOptions = {
  readonly settings: Pick<Settings, 'server' | 'token' | 'tokenFile'>
  readonly ci: CiIdentity
  /** Goes before the one of the settings. */
  readonly server: URL | null
}

/** A service and who we are to it. Failures: `server-missing`, `setting-conflict`; where a token is needed and none is at hand, `token-missing`. */
export function openClient({ settings, ci, server }: ClientRoomOptions): ApiClient {
  const address = server ?? settings.server
  if (address === null)
    throw new Failure({
      code: 'server-missing',
      message: 'nothing says which service to ask',
      hint: 'give --server URL, or set BITWITNESS_SERVER',
    })
  return new ApiClient({ server: address, token: tokenSource(settings, ci, address) })
}

function tokenSource({ token, tokenFile }: ClientRoomOptions['settings'], ci: CiIdentity, server: URL): TokenSource {
  if (token !== null && tokenFile !== null)
    throw new Failure({
      code: 'setting-conflict',
      message: 'BITWITNESS_TOKEN and BITWITNESS_TOKEN_FILE are both set',
      hint: 'unset one of them',
    })
  if (token !== null) return () => Promise.resolve(token)
  if (tokenFile !== null) return tokenFromFile(tokenFile)
  // For this service alone, by the name that it has for itself: another that it is shown to can do nothing with it.
  if (ci.github !== null) return tokenFromGitHub(ci.github, server.href.replace(/\/$/, ''))
  return () =>
    Promise.reject(
      new Failure({
        code: 'token-missing',
        message: 'there is no token to show the service',
        hint: 'set BITWITNESS_TOKEN or BITWITNESS_TOKEN_FILE to one that the operator made by `bitwitness token create`; on GitHub Actions grant `id-token: write`',
      }),
    )
}
