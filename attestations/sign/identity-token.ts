import { z } from 'zod'
import { Failure } from '../../verifier/model/failure.ts'
import { jsonOf } from '../../verifier/model/json-of.ts'
import { Secret } from '../../verifier/model/secret.ts'

/** Whoever asks for a token anew at each signing gets the one that is there now. Failures carry `identity-token-…` codes. */
export type TokenSource = (signal: AbortSignal) => Promise<Secret>

/** What we look at of a token; its issuer vouches for it to Fulcio, not to us. RFC 7519, and GitHub's claims. */
const Claims = z.looseObject({
  iss: z.string().min(1).max(2048),
  sub: z.string().min(1).max(2048).optional(),
  exp: z.number(),
  email: z.string().min(1).max(512).optional(),
  email_verified: z.union([z.boolean(), z.enum(['true', 'false'])]).optional(),
  repository: z.string().max(512).optional(),
  repository_owner: z.string().max(512).optional(),
  job_workflow_ref: z.string().max(1024).optional(),
})
export type Claims = z.infer<typeof Claims>

export type IdentityToken = {
  /** The token itself, for Fulcio alone. */
  readonly secret: Secret
  readonly claims: Claims
  /** What Fulcio wants a signature over, to see that we hold the key: the e-mail address, and else the subject. */
  readonly challenge: string
}

/** A clock that is this far ahead must not turn away what its issuer takes for valid, ms. */
const LEEWAY = 60_000
const MAX_LENGTH = 16_384

/**
 * Reads a token without checking its signature: Fulcio does that. Failures: `identity-token-malformed`, `identity-token-email-unverified`,
 * `identity-token-expired`. Nothing of the token gets into them.
 */
export function readToken(secret: Secret, now: Date): IdentityToken {
  const claims = Claims.safeParse(payloadOf(secret.reveal())).data
  const challenge = claims?.email ?? claims?.sub
  if (claims === undefined || challenge === undefined)
    throw new Failure({
      code: 'identity-token-malformed',
      message: 'the identity token is not a JSON Web Token with an issuer, a subject and an end',
      hint: 'check that BITWITNESS_IDENTITY_TOKEN leads to an OpenID Connect identity token',
      audience: 'operator',
    })
  if (claims.email !== undefined && String(claims.email_verified) !== 'true')
    throw new Failure({
      code: 'identity-token-email-unverified',
      message: 'the identity token names an e-mail address that its issuer has not verified',
      hint: 'have the address verified where the token comes from: Fulcio certifies no other',
      audience: 'operator',
    })
  if (claims.exp * 1000 <= now.getTime() - LEEWAY)
    throw new Failure({
      code: 'identity-token-expired',
      message: 'the identity token has expired',
      hint: 'look why it is not renewed; it is read anew at each signing',
      audience: 'operator',
      retryable: true,
    })
  return { secret, claims, challenge }
}

function payloadOf(token: string): unknown {
  const [, payload] = /^[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+$/.exec(token) ?? []
  if (payload === undefined || token.length > MAX_LENGTH) return undefined
  return jsonOf(Buffer.from(payload, 'base64url').toString('utf8'))
}

/** A token as text that may have white space around it. */
export function tokenOf(text: string): Secret {
  return new Secret(text.trim())
}
