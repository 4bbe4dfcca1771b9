import { CompactSign, exportJWK, generateKeyPair, type JWK } from 'jose'

/** What a token is signed with, and what an issuer publishes of it. */
export type IssuerKey = { readonly alg: string; readonly kid: string; readonly privateKey: CryptoKeyLike; readonly jwk: JWK }
type CryptoKeyLike = Awaited<ReturnType<typeof generateKeyPair>>['privateKey']

export async function makeKey(alg: 'RS256' | 'ES256' | 'ES384', kid: string): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { alg, kid, privateKey, jwk: { ...(await exportJWK(publicKey)), alg, kid, use: 'sig' } }
}

/** Signs a payload as it is, whatever it says. */
export async function tokenOf(
  payload: Readonly<Record<string, unknown>> | string,
  key: Pick<IssuerKey, 'alg' | 'kid' | 'privateKey'>,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  return await new CompactSign(Buffer.from(text))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header })
    .sign(key.privateKey)
}

/** As GitHub's documentation shows them. */
export function githubClaims(issuer: string, audience: string, at: Date) {
  const iat = Math.floor(at.getTime() / 1000)
  return {
    jti: 'example-id',
    sub: 'repo:octo-org/octo-repo:environment:prod',
    environment: 'prod',
    aud: audience,
    ref: 'refs/heads/main',
    sha: 'a'.repeat(40),
    repository: 'octo-org/octo-repo',
    repository_owner: 'octo-org',
    actor_id: '12',
    repository_visibility: 'private',
    repository_id: '74',
    repository_owner_id: '65',
    run_id: '1',
    workflow_ref: 'octo-org/octo-repo/.github/workflows/build.yml@refs/heads/main',
    job_workflow_ref: 'octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main',
    iss: issuer,
    nbf: iat - 300,
    exp: iat + 300,
    iat,
  }
}

/** As GitLab's documentation shows them. */
export function gitlabClaims(issuer: string, audience: string, at: Date) {
  const iat = Math.floor(at.getTime() / 1000)
  return {
    namespace_id: '72',
    namespace_path: 'my-group/sub',
    project_id: '20',
    project_path: 'my-group/sub/my-project',
    user_id: '1',
    ref: 'v1.0',
    ref_type: 'tag',
    ref_protected: 'true',
    runner_environment: 'gitlab-hosted',
    sha: 'b'.repeat(40),
    jti: '235b3a54-b797-45c7-ae9a-f72d7bc6ef5b',
    iat,
    nbf: iat - 5,
    exp: iat + 3600,
    iss: issuer,
    sub: 'project_path:my-group/sub/my-project:ref_type:tag:ref:v1.0',
    aud: audience,
  }
}
