import { z } from 'zod'
import { Tier } from '../../verifier/model/comparison.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Verdict } from '../../verifier/model/verdict.ts'

export const ATTESTATION_SET_SCHEMA = 'bitwitness/attestation-set/v1'

/** A command by its words; run in the folder of the files that it names. */
const Command = z.array(z.string()).min(1)

/** What `attest` made of a report: who signed, and each bundle with the command that checks it. File names are of the folder's. */
export const AttestationSet = z.strictObject({
  schema: z.literal(ATTESTATION_SET_SCHEMA),
  verdict: z.literal('signed'),
  /** The report that was attested: the sha256 of its exact bytes, and what it says. */
  report: z.strictObject({ sha256: Sha256, verdict: Verdict, tier: Tier.nullable() }),
  signer: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('key'),
      /** sha256 of the public key's SPKI DER, to be compared by another way than the files come. */
      fingerprint: Sha256,
      /** File of the public key in PEM. */
      publicKey: z.string(),
    }),
    z.strictObject({ kind: z.literal('sigstore'), issuer: z.string(), subjectAlternativeName: z.string() }),
  ]),
  /** File of the trusted root that the bundles verify with; null: none was set. */
  trustedRoot: z.string().nullable(),
  attestations: z
    .array(
      z.strictObject({
        predicateType: z.string(),
        subjects: z.array(z.strictObject({ name: z.string(), sha256: Sha256 })).min(1),
        /** The bundle, and the sha256 of its bytes. */
        file: z.string(),
        sha256: Sha256,
        /** Checks the bundle for its first subject with cosign 3. */
        check: Command,
        /** The envelope alone, where it was asked for. */
        envelope: z.string().nullable(),
        /** How long signing took by stage, ms. */
        stages: z.array(z.strictObject({ name: z.enum(['token', 'fulcio', 'tsa', 'rekor', 'key']), ms: z.number().nonnegative() })),
      }),
    )
    .min(1),
})
export type AttestationSet = z.infer<typeof AttestationSet>
