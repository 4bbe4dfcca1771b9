import { generateKeyPairSync, sign, verify } from 'node:crypto'

/** Mints identity tokens, and knows its own again. */
export class MockIssuer {
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  readonly url: string

  constructor(url: string) {
    this.url = url
  }

  /** A token of five minutes for the audience `sigstore`; claims given replace those. */
  mint(claims: Readonly<Record<string, unknown>>): string {
    const now = Math.floor(Date.now() / 1000)
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const all = { iss: this.url, aud: 'sigstore', iat: now, nbf: now, exp: now + 300, ...claims }
    const signed = `${part({ alg: 'ES256', typ: 'JWT' })}.${part(all)}`
    return `${signed}.${sign('sha256', Buffer.from(signed), { key: this.#keys.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
  }

  /** The claims of a token that is ours and still good. */
  accept(token: string): Record<string, string> | undefined {
    const [header = '', payload = '', signature = ''] = token.split('.')
    const key = { key: this.#keys.publicKey, dsaEncoding: 'ieee-p1363' as const }
    if (!verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))) return undefined
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Record<string, string> & { exp: number; aud: string }
    return claims.exp * 1000 > Date.now() && claims.aud === 'sigstore' ? claims : undefined
  }
}
