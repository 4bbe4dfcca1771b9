import type { Claim } from '../../../verifier/model/claim.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { sourceFailure } from '../../../verifier/source/failures.ts'
import { checkRecipePath } from '../../../verifier/source/recipe-path.ts'
import { checkRepositoryUrl, checkRevision, type SourceAccess } from '../../../verifier/source/source-ref.ts'
import { claimedLocation } from '../claimed-location.ts'
import type { SubmissionRequest } from './api-documents.ts'
import type { Caller } from './caller.ts'
import { mayBePublic } from './outside-host.ts'

type Access = Pick<SourceAccess, 'plainHttp' | 'privateHosts' | 'localRepositories'>

/**
 * What can be said against a source before anything is fetched: the rest is said when it is pinned. Fails with `source-…`, or
 * `repository-refused` where whoever asks may submit other repositories only.
 */
export function checkSource(source: SubmissionRequest['source'], caller: Caller, access: Access): void {
  checkRecipePath(source.path)
  if (source.kind === 'git') {
    const url = checkRepositoryUrl(source.url, { ...access, files: false })
    if (!access.privateHosts && url.protocol !== 'file:' && !mayBePublic(url.hostname)) throw sourceFailure('source-host-private')
    checkRevision(source.commit)
  }
  const { repositories } = caller
  if (repositories === null || (source.kind === 'git' && repositories.includes(source.url))) return
  throw new Failure({
    code: 'repository-refused',
    message: 'this token is for submissions of other repositories',
    hint: 'submit the repository that the workflow runs for, by the URL that GET /v1/owner shows, or use an API token',
  })
}

/** Fails with `claim-twice`, or `claim-location-refused` for what nobody could fetch, or nobody should. */
export function checkClaims(claims: readonly Claim[], access: Access): void {
  const once = new Set(claims.map(({ kind, name, sha256 }) => JSON.stringify([kind, name, sha256])))
  if (once.size !== claims.length)
    throw new Failure({ code: 'claim-twice', message: 'the same is claimed twice', hint: 'name each claim once' })
  for (const { location } of claims) if (location !== null && !mayFetch(location, access)) throw locationRefused()
}

/** Where somebody is to be told. Fails with `callback-refused`. */
export function checkCallback(callback: string | null): void {
  if (callback === null) return
  const url = URL.parse(callback)
  if (url?.protocol === 'https:' && url.username === '' && url.password === '' && mayBePublic(url.hostname)) return
  throw new Failure({
    code: 'callback-refused',
    message: 'the callback is no https URL of a public host, or holds a user name or a password',
    hint: 'give https://HOST/…; what is sent there is signed with the secret that GET /v1/owner shows',
  })
}

function mayFetch(location: string, access: Access): boolean {
  const place = placeOf(location)
  if (place === undefined) return false
  const { url, plain } = place
  const { protocol, username, password, hostname } = url
  return (
    (protocol === 'https:' || (plain && protocol === 'http:' && access.plainHttp)) &&
    username === '' &&
    password === '' &&
    (access.privateHosts || mayBePublic(hostname))
  )
}

/** The host of an image is asked by https; a file would be one of the service's own. */
function placeOf(location: string): { readonly url: URL; readonly plain: boolean } | undefined {
  try {
    const where = claimedLocation(location)
    if (where.kind === 'file') return undefined
    const url = URL.parse(where.kind === 'url' ? where.url : `https://${where.image.registry}/`)
    return url === null ? undefined : { url, plain: where.kind === 'url' }
  } catch {
    return undefined
  }
}

function locationRefused(): Failure {
  return new Failure({
    code: 'claim-location-refused',
    message: 'the claimed bytes are said to be where nobody may look for them',
    hint: 'give an https URL of a public host, or NAME@sha256:… of an image in a public registry, or leave the location out',
  })
}
