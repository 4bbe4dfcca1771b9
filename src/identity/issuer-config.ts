import { z } from 'zod'

/** What the file of BITWITNESS_ISSUERS may say (docs/identities.md). */
const Id = z.union([z.int().positive().transform(String), z.string().regex(/^[1-9]\d{0,18}$/)])
/** `*` stands for anything within one part of a path, `**` for anything. */
const Pattern = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^\s]+$/)
  .refine((text) => text.split(/\*+/).length <= 5 && !text.includes('***'))
const RepositoryPattern = Pattern.regex(/^[A-Za-z0-9_.*-]+(?:\/[A-Za-z0-9_.*-]+)+$/)

const Rule = z
  .strictObject({
    repositories: z.array(RepositoryPattern).min(1).max(200),
    /** Of the account or group that they belong to, which a name may come to lead away from. */
    ownerId: Id.optional(),
    refs: z.array(Pattern).min(1).max(50).optional(),
    environments: z.array(Pattern).min(1).max(50).optional(),
    trusted: z.boolean().default(false),
  })
  .refine(({ trusted, ownerId }) => !trusted || ownerId !== undefined, { path: ['ownerId'] })
export type Rule = z.infer<typeof Rule>

/** An https URL with nothing but host, port and path, in the one spelling that it is compared in. */
const HttpsUrl = z
  .string()
  .max(1024)
  .refine((text) => {
    const url = URL.parse(text)
    return url?.protocol === 'https:' && url.href.replace(/\/$/, '') === text && /^https:\/\/[^/?#@]+(?:\/[^?#]*)?$/.test(text)
  })

const Issuer = z.strictObject({
  issuer: HttpsUrl,
  kind: z.enum(['github', 'gitlab']),
  /** Whom a token has to be made for; the origin of the public URL of this service if not given. */
  audience: z.string().min(1).max(512).optional(),
  /** Where the repositories are cloned from. */
  repositoriesAt: HttpsUrl.optional(),
  /** Certificate authorities to trust for it, beside the usual ones: absolute path of a PEM file. */
  ca: z.string().startsWith('/').max(4096).optional(),
  /** Whether it may have an address that is not public. */
  privateHost: z.boolean().default(false),
  rules: z.array(Rule).min(1).max(200),
})

export const IssuersFile = z
  .strictObject({ issuers: z.array(Issuer).min(1).max(20) })
  .refine(({ issuers }) => new Set(issuers.map(({ issuer }) => issuer)).size === issuers.length, { path: ['issuers'] })

/** An issuer whose tokens are taken, with everything filled in. */
export type IssuerConfig = {
  readonly issuer: string
  readonly kind: 'github' | 'gitlab'
  readonly audience: string
  readonly repositoriesAt: string
  /** In PEM. */
  readonly authorities: string | null
  readonly privateHost: boolean
  readonly rules: readonly Rule[]
}
