import { type KeyObject } from 'node:crypto'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { VerificationReport } from '../../../verifier/model/report.ts'
import { encodeStatement } from '../../statement/encode.ts'
import { provenanceOf } from '../../statement/provenance.ts'
import { rebuildResultOf } from '../../statement/rebuild-result.ts'
import { reproducedOf } from '../../statement/reproduced.ts'
import type { Statement } from '../../statement/statement.ts'
import { contentEqualReport, goldenReport, LAPTOP } from '../../testing/reports.ts'
import type { BundleShape } from '../bundle-shape.ts'
import { pair, paperSigstore, type SignRequest } from './paper-sigstore.ts'

/** The artifact that all cases are about. */
export const ARTIFACT = Buffer.from('an image that was rebuilt\n')
export const DIGEST = digestOf(ARTIFACT)

/** The one envelope that cases change. */
export type Bundle = Extract<BundleShape, { dsseEnvelope: unknown }>

/** What cases are made from: true statements, a Sigstore on paper and a stranger's, keys. */
export async function caseWorld() {
  const [sigstore, stranger] = [await paperSigstore(), await paperSigstore()]
  const [key, otherKey] = [pair(), pair()]
  const statements = {
    reproduced: reproducedOf(about(goldenReport('reproduced')), LAPTOP),
    mismatch: rebuildResultOf(about(goldenReport('mismatch')), LAPTOP),
    contentEqual: rebuildResultOf(about(contentEqualReport()), LAPTOP),
    provenance: must(provenanceOf(about(goldenReport('reproduced')), LAPTOP)),
  }
  const reproduced = encodeStatement(statements.reproduced)
  const sign = async (o: Partial<SignRequest>): Promise<Bundle> =>
    (await sigstore.signBundle({ statement: reproduced, with: { certificate: {} }, ...o })) as Bundle
  return {
    sigstore,
    stranger,
    key,
    otherKey,
    statements,
    reproduced,
    sign,
    /** As the public instance signs: Rekor v1 and a timestamp. */
    keyless: (o: Partial<SignRequest> = {}) => sign({ logs: [sigstore.rekor1], timestamps: 1, ...o }),
    keyless2: (o: Partial<SignRequest> = {}) => sign({ logs: [sigstore.rekor2], timestamps: 1, ...o }),
    keyed: (o: Partial<SignRequest> = {}) => sign({ with: { key }, ...o }),
  }
}
export type CaseWorld = Awaited<ReturnType<typeof caseWorld>>

export function pemOf(key: { readonly publicKey: KeyObject }): string {
  return key.publicKey.export({ type: 'spki', format: 'pem' }) as string
}

/** The bytes of a statement that our own encoder would refuse. */
export function rawStatement(statement: Statement, change: Readonly<Record<string, unknown>> = {}): Buffer {
  return Buffer.from(JSON.stringify({ ...statement, ...change }))
}

/** The report, with its first claim on our artifact. */
function about(report: VerificationReport): VerificationReport {
  const claimed = must(report.claims[0]).sha256
  return VerificationReport.parse(JSON.parse(JSON.stringify(report).replaceAll(claimed, DIGEST)))
}

export function must<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('the case has no such part')
  return value
}
