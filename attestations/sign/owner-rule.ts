import { Failure } from '../../verifier/model/failure.ts'

/** The names under which a signer is known: identities of a certificate or a fingerprint, and URLs of its repositories and their owners. */
export type SignerNames = { readonly identities: readonly string[]; readonly repositories: readonly string[] }

/**
 * Refuses with `signer-is-owner` where whoever signs is who submitted or wrote what is signed: a verdict on one's own image says no more
 * than the image does. Compared, letters folded as forges fold them:
 *
 * - `owner` with each identity of the signer, as a whole (an e-mail address, a URI, a fingerprint);
 * - the account of `owner` and of `repository` with the accounts that the signer's identities and repositories lie in. An account is a host
 *   and the first part of the path, `github.com` and `acme`; an `owner` that names no host (`acme`, `acme/app`) is met at any.
 *
 * It knows names, not people: who has two accounts, or a repository under one and an e-mail address elsewhere, is not recognised.
 */
export function refuseOwner(signer: SignerNames, of: { readonly owner: string | null; readonly repository?: string | null }): void {
  const whole = new Set(signer.identities.map(folded))
  const accounts = [...signer.identities, ...signer.repositories].flatMap(accountOf)
  const meets = (text: string): boolean =>
    accountOf(text).some(({ host, name }) => accounts.some((one) => one.name === name && (host === null || one.host === host)))
  const { owner, repository = null } = of
  const asOwner = owner !== null && (whole.has(folded(owner)) || whole.has(folded(owner).replace(/^sha256:/, '')) || meets(owner))
  if (asOwner || (repository !== null && meets(repository)))
    throw new Failure({
      code: 'signer-is-owner',
      message: 'the signing identity belongs to the owner of the source',
      hint: 'have somebody else rebuild and sign it: a verdict on one’s own image is worth no more than the image',
    })
}

type Account = { readonly host: string | null; readonly name: string }

/** The account that an identity, an owner or a repository lies in, if it names one. */
function accountOf(text: string): readonly Account[] {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? URL.parse(text) : null
  if (url !== null) {
    const [name = ''] = url.pathname.split('/').filter((part) => part !== '')
    return url.host === '' || name === '' ? [] : [{ host: folded(url.host).replace(/^www\./, ''), name: folded(unescaped(name)) }]
  }
  const [, host, path] = /^[^@/:]+@([^@/:]+):([^:]+)$/.exec(text) ?? []
  if (host !== undefined && path !== undefined) return [{ host: folded(host), name: folded(path.split('/')[0] ?? '') }]
  // A name alone, or the subject of a token of GitHub: `repo:acme/app:ref:…`.
  const [, name] = /^(?:repo:)?([A-Za-z0-9][A-Za-z0-9._-]*)(?:\/[^@]*)?$/.exec(text) ?? []
  return name === undefined ? [] : [{ host: null, name: folded(name) }]
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function folded(text: string): string {
  return text.trim().toLowerCase()
}
