import { Secret } from '../../verifier/model/secret.ts'
import type { Environment } from './setting.ts'

/** What a CI system gives its job to prove its identity with. */
export type CiIdentity = {
  /** GitHub Actions: where a token is asked for, and with what. */
  readonly github: { readonly url: URL; readonly bearer: Secret } | null
  /** A token that was put into SIGSTORE_ID_TOKEN, such as by GitLab's `id_tokens`. */
  readonly token: Secret | null
}

/** Reads ACTIONS_ID_TOKEN_REQUEST_URL and …_TOKEN, which GitHub sets for jobs with `id-token: write`, and SIGSTORE_ID_TOKEN. */
export function readCiIdentity(environment: Environment): CiIdentity {
  const url = URL.parse(environment['ACTIONS_ID_TOKEN_REQUEST_URL'] ?? '')
  const bearer = environment['ACTIONS_ID_TOKEN_REQUEST_TOKEN'] ?? ''
  const token = environment['SIGSTORE_ID_TOKEN'] ?? ''
  return {
    github: url === null || bearer === '' ? null : { url, bearer: new Secret(bearer) },
    token: token === '' ? null : new Secret(token),
  }
}
