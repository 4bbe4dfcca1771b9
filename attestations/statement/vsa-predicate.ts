import { z } from 'zod'
import { Sha256 } from '../../verifier/model/digest.ts'
import { AbsoluteUri, Timestamp } from './statement.ts'

const Pinned = z.strictObject({ uri: AbsoluteUri, digest: z.strictObject({ sha256: Sha256 }) })

const common = {
  verifier: z.strictObject({ id: AbsoluteUri, version: z.strictObject({ bitwitness: z.string() }) }),
  timeVerified: Timestamp,
  resourceUri: AbsoluteUri,
  policy: Pinned,
  inputAttestations: z.array(Pinned),
}

/** What a gate can vouch for of our own. A level of SLSA's is not ours to give: one rebuilder and a claim do not earn it. */
export const VsaLevel = z.enum(['BITWITNESS_REPRODUCED', 'BITWITNESS_CONTENT_EQUAL'])
export type VsaLevel = z.infer<typeof VsaLevel>

/** SLSA Verification Summary v1 (https://slsa.dev/spec/v1.1/verification_summary). `slsaVersion` is left out: no level of SLSA's is named. */
export const VsaPredicate = z.discriminatedUnion('verificationResult', [
  z.strictObject({
    ...common,
    inputAttestations: common.inputAttestations.min(1),
    verificationResult: z.literal('PASSED'),
    verifiedLevels: z.tuple([VsaLevel]),
  }),
  z.strictObject({ ...common, verificationResult: z.literal('FAILED'), verifiedLevels: z.tuple([z.literal('FAILED')]) }),
])
export type VsaPredicate = z.infer<typeof VsaPredicate>
