import { readSmallFile } from '../../verifier/bytes/small-file.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { Secret } from '../../verifier/model/secret.ts'
import { askServer, PATIENCE, type Patience } from './http-answer.ts'
import { type TokenSource, tokenOf } from './identity-token.ts'

/** The audience that Fulcio's servers take, unless they were told otherwise. */
const AUDIENCE = 'sigstore'
/** Tokens are a few kilobytes. */
const MAX_BYTES = 64 * 1024

/** A file that something else keeps fresh, such as a projected volume. */
export function tokenFromFile(file: string): TokenSource {
  return async (signal) => tokenOf((await readSecretFile(file, signal)).reveal())
}

/**
 * An address that answers with a token, as text or as JSON `{"value": …}`. The file of `bearer`, read anew each time, holds what to send
 * in the header `authorization: Bearer …`.
 */
export function tokenFromUrl(url: URL, o: { readonly bearer?: string | null; readonly patience?: Patience } = {}): TokenSource {
  return async (signal) => {
    const bearer = o.bearer === undefined || o.bearer === null ? null : tokenOf((await readSecretFile(o.bearer, signal)).reveal())
    return await requestToken(url, bearer, o.patience ?? PATIENCE, signal)
  }
}

/** What a job of GitHub Actions asks for its token with: `ACTIONS_ID_TOKEN_REQUEST_URL` and `…_TOKEN`, given with `id-token: write`. */
export type GitHubTokenRequest = { readonly url: URL; readonly bearer: Secret }

/** The token that a CI system gives to its job. */
export function tokenFromCi(
  ci: { readonly github: GitHubTokenRequest | null; readonly token: Secret | null },
  patience: Patience = PATIENCE,
): TokenSource {
  return async (signal) => {
    if (ci.github !== null) return await tokenFromGitHub(ci.github, AUDIENCE, patience)(signal)
    if (ci.token !== null) return tokenOf(ci.token.reveal())
    throw new Failure({
      code: 'identity-token-missing',
      message: 'this process was given no identity token',
      hint: 'set BITWITNESS_IDENTITY_TOKEN to a file or URL; on GitHub Actions grant `id-token: write`; elsewhere set SIGSTORE_ID_TOKEN',
      audience: 'operator',
    })
  }
}

/** What GitHub gives a job to show to one audience. */
export function tokenFromGitHub(request: GitHubTokenRequest, audience: string, patience: Patience = PATIENCE): TokenSource {
  return async (signal) => {
    const url = new URL(request.url)
    url.searchParams.set('audience', audience)
    return await requestToken(url, request.bearer, patience, signal)
  }
}

async function requestToken(url: URL, bearer: Secret | null, patience: Patience, signal: AbortSignal): Promise<Secret> {
  const headers: Record<string, string> = { accept: 'application/json, text/plain;q=0.9' }
  if (bearer !== null) headers['authorization'] = `Bearer ${bearer.reveal()}`
  const answer = await askServer({ url, method: 'GET', headers, patience, signal })
  if (answer.kind !== 'answered' || answer.status !== 200)
    throw unreadable(answer.kind === 'answered' ? `HTTP ${answer.status}` : answer.kind)
  const text = Buffer.from(answer.body).toString('utf8').trim()
  return tokenOf(text.startsWith('{') ? valueOf(text) : text)
}

/** Empty where it is not there, which no token is. */
function valueOf(json: string): string {
  try {
    const { value } = JSON.parse(json) as { value?: unknown }
    return typeof value === 'string' ? value : ''
  } catch {
    return ''
  }
}

async function readSecretFile(file: string, signal: AbortSignal): Promise<Secret> {
  const read = await readSmallFile(file, { maxBytes: MAX_BYTES, signal })
  if (read.bytes === null) throw unreadable(read.cause?.code ?? read.why)
  return new Secret(read.bytes.toString('utf8'))
}

function unreadable(why: string): Failure {
  return new Failure({
    code: 'identity-token-unreadable',
    message: `the identity token cannot be read (${why})`,
    hint: 'check that BITWITNESS_IDENTITY_TOKEN names a file or URL that this process may read',
    audience: 'operator',
    retryable: true,
  })
}
