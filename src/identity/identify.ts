import { errors, type JWTVerifyOptions, jwtVerify } from 'jose'
import { z } from 'zod'
import { Failure } from '../../verifier/model/failure.ts'
import { parseStrictJson } from '../../verifier/model/strict-json.ts'
import type { Identify, Identity } from '../app/service/identity.ts'
import type { IssuerConfig } from './issuer-config.ts'
import { type FetchDocument, IssuerKeys } from './issuer-keys.ts'
import { jobClaims } from './job-claims.ts'
import { matchingRule } from './matching-rule.ts'

/** Why a token does not count, for the operator's log alone: who sent it is not told. */
export type Refusal = 'malformed' | 'issuer' | 'algorithm' | 'key' | 'signature' | 'time' | 'audience' | 'claims' | 'rule'

export type IdentifyOptions = {
  readonly issuers: readonly IssuerConfig[]
  readonly fetch: (issuer: IssuerConfig) => FetchDocument
  readonly now: () => Date
  readonly onRefused?: (why: Refusal) => void
}

/** What CI systems sign with. None that could take a public key for a secret. */
const ALGORITHMS = ['RS256', 'ES256']
const MAX_TOKEN = 12 * 1024
const LIMITS = { maxBytes: MAX_TOKEN, maxDepth: 8 }
/** Seconds that clocks may differ by. */
const SKEW = 30
/** Tokens of CI live for minutes, and nothing that is older was made for this. */
const MAX_AGE = '1h'

const Header = z.looseObject({ alg: z.enum(ALGORITHMS), kid: z.string().min(1).max(256) })
const Payload = z.looseObject({ iss: z.string(), iat: z.number(), exp: z.number() })

/** Knows the jobs of the CI systems that the operator configured, and nobody else. */
export function identifier({ issuers, fetch, now, onRefused }: IdentifyOptions): Identify {
  const known = new Map(
    issuers.map((config) => {
      const keys = new IssuerKeys({ issuer: config.issuer, fetch: fetch(config), now: () => now().getTime() })
      return [config.issuer, { config, keys }]
    }),
  )
  return async (token) => {
    const answer = await judge(token, known, now())
    if (typeof answer !== 'string') return answer
    onRefused?.(answer)
    return undefined
  }
}

type Known = ReadonlyMap<string, { readonly config: IssuerConfig; readonly keys: IssuerKeys }>

async function judge(token: string, known: Known, at: Date): Promise<Identity | Refusal> {
  const read = readToken(token)
  if (read === undefined) return 'malformed'
  const header = Header.safeParse(read.header)
  if (!header.success) return 'algorithm'
  const payload = Payload.safeParse(read.payload)
  const issuer = payload.success ? known.get(payload.data.iss) : undefined
  if (issuer === undefined) return 'issuer'
  const { config, keys } = issuer
  const refused = await verify(token, { keys, at, audience: config.audience, issuer: config.issuer })
  if (refused !== undefined) return refused
  // What was read here are the bytes that were verified: there is one reading of them.
  const job = jobClaims(config.kind, read.payload)
  if (job === undefined || !isFor(read.payload, config.audience)) return 'claims'
  const rule = matchingRule(config.rules, job)
  if (rule === undefined) return 'rule'
  const url = `${config.repositoriesAt}/${job.repository}`
  return {
    issuer: config.issuer,
    subject: job.repositoryId,
    name: job.repository,
    repositories: [url, `${url}.git`],
    trusted: rule.trusted,
  }
}

/** Header and payload of a JWT (RFC 7519 §3), if it can be read in one way only. */
function readToken(token: string): { readonly header: unknown; readonly payload: unknown } | undefined {
  const [header, payload, signature, ...more] = token.length > MAX_TOKEN ? [] : token.split('.')
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) return undefined
  try {
    return { header: segment(header), payload: segment(payload) }
  } catch {
    return undefined
  }
}

function segment(text: string): unknown {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.toString('base64url') !== text) throw new Error('not base64url')
  return parseStrictJson(bytes, LIMITS)
}

/** Somebody else may hold a token that was made for two. */
function isFor(payload: unknown, audience: string): boolean {
  return z.object({ aud: z.union([z.literal(audience), z.tuple([z.literal(audience)])]) }).safeParse(payload).success
}

async function verify(
  token: string,
  { keys, at, audience, issuer }: { keys: IssuerKeys; at: Date; audience: string; issuer: string },
): Promise<Refusal | undefined> {
  const rules: JWTVerifyOptions = {
    algorithms: [...ALGORITHMS],
    issuer,
    audience,
    currentDate: at,
    clockTolerance: SKEW,
    maxTokenAge: MAX_AGE,
    requiredClaims: ['exp', 'iat'],
  }
  try {
    await jwtVerify(
      token,
      async (header) => {
        const key = await keys.keyFor(header)
        if (key === undefined) throw new NoSuchKey()
        return key
      },
      rules,
    )
    return undefined
  } catch (error) {
    return refusalOf(error)
  }
}

class NoSuchKey extends Error {}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Failure) throw error
  if (error instanceof errors.JWTExpired) return 'time'
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return 'audience'
    return ['exp', 'iat', 'nbf'].includes(error.claim) ? 'time' : 'claims'
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature'
  // Anything else is about the key: there is none, there are two, it is too small, or of another kind than the token says.
  return error instanceof errors.JOSEAlgNotAllowed ? 'algorithm' : 'key'
}
