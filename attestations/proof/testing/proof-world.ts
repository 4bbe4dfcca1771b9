import { readFileSync } from 'node:fs'
import path from 'node:path'
import { encodeBuilder } from '../../../verifier/builder/image-description.ts'
import { smallBuilder } from '../../../verifier/builder/testing/small-builder.ts'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { encodeDocument } from '../../../verifier/model/document.ts'
import { encodeLock, type InputLock } from '../../../verifier/model/lock.ts'
import { VerificationReport } from '../../../verifier/model/report.ts'
import { sbomOf } from '../../sbom/sbom.ts'
import { sbomStatement } from '../../sbom/statement.ts'
import { encodeStatement } from '../../statement/encode.ts'
import { PAYLOAD_TYPE } from '../../statement/predicate-types.ts'
import { statementsOf } from '../../statement/statements.ts'
import { goldenReport, LAPTOP } from '../../testing/reports.ts'
import type { Carried, CarriedMember, ProofContent } from '../proof.ts'

const testdata = path.join(import.meta.dirname, '../../../verifier/model/testdata')
export const LOCK_TEXT: string = readFileSync(path.join(testdata, 'input-lock.json'), 'utf8')
export const MANIFEST: Buffer = readFileSync(path.join(testdata, 'tree-manifest.txt'))
const KEY = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt
6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==
-----END PUBLIC KEY-----
`

/** Content with what `open` gives for what it carries. */
export type World = {
  readonly content: ProofContent
  readonly open: (member: CarriedMember) => Promise<AsyncIterable<Uint8Array>>
  /** Bytes of what is carried, by digest. */
  readonly bytes: ReadonlyMap<string, Buffer>
}

/** A bundle of a statement with a signature that nothing made: a proof is read without looking at who signed. */
export function unsignedBundle(statement: Uint8Array, change: object = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { publicKey: { hint: 'a key' } },
      dsseEnvelope: {
        payload: Buffer.from(statement).toString('base64'),
        payloadType: PAYLOAD_TYPE,
        signatures: [{ sig: 'c2lnbmVk', keyid: '' }],
        ...change,
      },
    }),
  )
}

/** The report with a lock and a builder that are at hand, and the small builder. */
export async function consistent(report: VerificationReport): Promise<{ report: VerificationReport; builder: ProofContent['builder'] }> {
  const { builder, lock } = await smallBuilder()
  let text = JSON.stringify(report)
  if (report.lock !== null) text = text.replaceAll(report.lock, digestOf(Buffer.from(LOCK_TEXT)))
  if (report.builder === null) return { report: VerificationReport.parse(JSON.parse(text)), builder: null }
  return {
    report: VerificationReport.parse(JSON.parse(text.replaceAll(report.builder.digest, builder.digest))),
    builder: { description: Buffer.from(encodeBuilder(builder)), lock: Buffer.from(encodeLock(lock)) },
  }
}

/** Bundles of every statement that a report gives rise to. */
export function bundlesOfReport(report: VerificationReport, bytes: Uint8Array): Buffer[] {
  return statementsOf(report, { ...LAPTOP, reportDigest: digestOf(bytes) }).map((statement) => unsignedBundle(encodeStatement(statement)))
}

/** A whole proof of the golden reproduction, with everything that one can have. `change`: what else the report says. */
export async function proofWorld(change: (report: VerificationReport) => VerificationReport = (report) => report): Promise<World> {
  const { report: first, builder } = await consistent(goldenReport('reproduced'))
  const [artifact] = first.attempts[0]?.artifacts ?? []
  if (artifact === undefined || artifact.treeManifest === null) throw new Error('the golden attempt has an artifact')
  const report = change(VerificationReport.parse(JSON.parse(JSON.stringify(first).replaceAll(artifact.treeManifest, digestOf(MANIFEST)))))
  const bytes = Buffer.from(encodeDocument(VerificationReport, report))
  const image = { name: artifact.name, sha256: artifact.sha256, ociManifest: artifact.oci?.manifest ?? null }
  const lock = JSON.parse(LOCK_TEXT) as InputLock
  const packages = { system: null, debian: [{ name: 'curl', version: '7.88.1-10+deb12u8', architecture: 'amd64' }], npm: [] }
  const sbom = sbomOf({ image, packages, lock: { sha256: digestOf(Buffer.from(LOCK_TEXT)), lock }, created: 0, version: '0.1.0' })
  const carried = [MANIFEST, Buffer.from('the recipe as a tar'), Buffer.from('the inputs')]
  const [manifest, source, inputs] = carried.map((one): Carried => ({ sha256: digestOf(one), size: one.length }))
  if (manifest === undefined || source === undefined || inputs === undefined) throw new Error('there are three')
  const held = new Map(carried.map((one) => [String(digestOf(one)), Buffer.from(one)]))
  return {
    content: {
      report: bytes,
      bundles: [...bundlesOfReport(report, bytes), unsignedBundle(encodeStatement(sbomStatement(image, sbom)))],
      publicKey: Buffer.from(KEY),
      trustedRoot: null,
      lock: report.lock === null ? null : Buffer.from(LOCK_TEXT),
      builder,
      treeManifests: [manifest],
      sbom: Buffer.from(sbom),
      source,
      inputs,
    },
    bytes: held,
    open: async ({ sha256 }) => once(held.get(sha256) ?? Buffer.alloc(0)),
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes
}
