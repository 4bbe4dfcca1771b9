import { z } from 'zod'
import { Tier } from '../../../verifier/model/comparison.ts'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { ComposeSeverity } from '../compose/compose-finding.ts'
import { AppId } from '../compose/compose-hash.ts'

export const POLICY_SCHEMA = 'bitwitness/policy/v1'

/** What policies, sources and rules are called. */
export const PolicyName = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'small letters, digits and single dashes')
  .max(64)
/** `*` stands for any characters but `/ ? # @`, `**` for any; it must match the whole name. */
const Pattern = z.string().min(1).max(512)
const Hex32 = z.string().regex(/^[0-9a-f]{64}$/)
const Days = z.number().positive().max(36_500)
const ANY = 'a map of at least 1'
const some = <S extends z.ZodType>(item: S, most = 1000) => z.array(item).min(1).max(most)

/** Whose source may stand behind an image. Who faithfully rebuilds another's recipe has not become its owner. */
export const PolicySource = z.strictObject({
  /** Exactly as the statement says it. */
  repository: z.string().min(1).max(2048),
  /** Branches or tags from which the commit is reachable, as `refs/heads/main` or by a pattern. */
  refs: some(Pattern, 100),
  /** Folder of the recipe. */
  path: z.string().min(1).max(1024).default('.'),
  /** Who may have had it rebuilt, as the statement names them. */
  owners: some(Pattern, 100),
})
export type PolicySource = z.infer<typeof PolicySource>

const Witnesses = {
  /** Transparency logs with an entry, and others than the signer that say when, at least; by default 1 each with a certificate, 0 with a key. */
  logEntries: z.int().min(0).max(16).optional(),
  times: z.int().min(0).max(16).optional(),
}
export const PolicySigner = z.union([
  /** PEM (SPKI), P-256. */
  z.strictObject({ key: z.string().min(1).max(4096), ...Witnesses }),
  z.strictObject({ issuer: z.string().min(1).max(2048), name: Pattern, ...Witnesses }),
])
export type PolicySigner = z.infer<typeof PolicySigner>

export const PolicyApp = z.strictObject({
  /** Images that it may run, by their names in `images`. */
  images: some(z.string().min(1).max(255), 100),
  /** Compose hashes that are admitted. */
  composes: z.array(Sha256).max(1000).default([]),
  /** Who may admit more, as authenticated; nobody but this file where it is empty. */
  admitters: z.array(Pattern).max(100).default([]),
  /** Machines by their device id, or `any`. */
  devices: z.union([z.literal('any'), some(Hex32)]),
})
export type PolicyApp = z.infer<typeof PolicyApp>

/** What a gate asks for. Nothing that is not listed is allowed, and what is missing denies. */
export const Policy = z.strictObject({
  policy: z.literal(POLICY_SCHEMA),
  name: PolicyName,
  /** `observe` allows everything, and says what it would have denied. */
  mode: z.enum(['enforce', 'observe']),
  /** Any of them must have signed. */
  signers: some(PolicySigner, 32),
  sources: z.record(PolicyName, PolicySource).refine((sources) => Object.keys(sources).length > 0, ANY),
  /** By the name of an image, without tag and digest: the source that it must have been rebuilt from. */
  images: z
    .record(z.string().min(1).max(255), z.strictObject({ source: PolicyName }))
    .refine((images) => Object.keys(images).length > 0, ANY),
  builders: some(Sha256),
  tiers: some(Tier, 2),
  attestations: z.strictObject({
    /** Days since the rebuild ended. */
    maxAge: Days,
    /** Seconds for which a webhook need not find out again, or verify again, what led to an allow. */
    cacheSeconds: z.int().min(0).max(3600).default(0),
    /** Attempts that agree, at least. */
    attempts: z.int().min(1).max(9).default(2),
  }),
  /** Of the signed indexes that packages were chosen by: an old one is still signed. */
  indexes: z.strictObject({ maxAge: Days, suites: some(z.string().min(1).max(128), 32) }),
  compose: z.strictObject({
    /** Findings of the linter that deny. */
    deny: some(ComposeSeverity, 3),
    /** Values that are allowed in spite of a rule. */
    allow: z
      .array(z.strictObject({ rule: PolicyName, sha256: Sha256 }))
      .max(1000)
      .default([]),
  }),
  apps: z.record(AppId, PolicyApp).default({}),
  /** By os_image_hash: rebuilt from one of `sources`, or pinned by whoever wrote this. */
  osImages: z
    .record(Hex32, z.union([z.strictObject({ source: PolicyName }), z.strictObject({ pinned: z.string().min(1).max(512) })]))
    .default({}),
  tcb: z
    .strictObject({ statuses: some(z.string().min(1).max(64), 16), advisories: z.array(z.string().min(1).max(64)).max(1000).default([]) })
    .nullable()
    .default(null),
  /** Who may be a KMS: its measurements, its guest image and its machines. */
  kms: z
    .strictObject({ mrAggregated: some(Hex32), osImages: some(Hex32), devices: z.union([z.literal('any'), some(Hex32)]) })
    .nullable()
    .default(null),
  /** App id of the gateway that guests are told. */
  gatewayAppId: AppId.nullable().default(null),
})
export type Policy = z.infer<typeof Policy>
