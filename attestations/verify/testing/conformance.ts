import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import type { SignerPolicy } from '../policy.ts'
import { publicGoodSnapshotBytes } from '../public-good.ts'
import { parseTrustedRoot, type TrustedRoot } from '../trusted-root.ts'
import { verifyAttestation } from '../verify-attestation.ts'
import { verifyBundle } from '../verify-bundle.ts'

/** What the suite takes where a case has no file of its own (sigstore-conformance, test/assets/bundle-verify/README.md). */
const BEACON = ['https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon', '.github', 'workflows'].join('/')
const IDENTITY = [`${BEACON}/extremely-dangerous-oidc-beacon.yml@refs`, 'heads', 'main'].join('/')
const ISSUER = 'https://token.actions.githubusercontent.com'

export type Outcome = {
  readonly name: string
  readonly by: 'path' | 'digest'
  readonly result: 'passed' | 'failed' | 'skipped'
  /** The code that it was rejected with, `verified`, or why it was skipped. */
  readonly reason: string
}

/** Every case of a folder laid out as sigstore-conformance's bundle-verify, by path and by digest. A name in `_fail` must be refused. */
export function runConformance(folder: string, now: Date): Outcome[] {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted()
  return names.flatMap((name) => (['path', 'digest'] as const).map((by) => run(folder, name, by, now)))
}

function run(folder: string, name: string, by: Outcome['by'], now: Date): Outcome {
  const reason = answer(folder, name, by, now)
  if (reason === undefined)
    return { name, by, result: 'skipped', reason: 'a signature over bytes is verified with the bytes, and not with their digest' }
  return { name, by, result: (reason === 'verified') === !name.endsWith('_fail') ? 'passed' : 'failed', reason }
}

/** `verified`, or the code of what is wrong; undefined where it cannot be asked. */
function answer(folder: string, name: string, by: Outcome['by'], now: Date): string | undefined {
  const at = (file: string): string => path.join(folder, name, file)
  const text = (file: string, otherwise: string): string => (existsSync(at(file)) ? readFileSync(at(file), 'utf8').trim() : otherwise)
  const bundle = readFileSync(at('bundle.sigstore.json'))
  const artifact = readFileSync(existsSync(at('artifact')) ? at('artifact') : path.join(folder, 'a.txt'))
  const policy: SignerPolicy = existsSync(at('key.pub'))
    ? { signer: { kind: 'key', publicKeys: [readFileSync(at('key.pub'), 'utf8')] }, thresholds: { logEntries: 1 } }
    : { signer: { kind: 'certificate', subjectAlternativeName: text('identity', IDENTITY), issuer: text('issuer', ISSUER) } }
  try {
    const trustedRoot = rootOf(at('trusted_root.json'))
    const predicateType = predicateTypeOf(bundle)
    if (predicateType === undefined) {
      const message = by === 'path' ? { message: artifact } : {}
      const { checks } = verifyBundle({ bundle, trustedRoot, policy, now, oldVersions: true, ...message })
      const code = checks.all().find(({ result }) => result === 'fail')?.code ?? 'verified'
      return code === 'bundle-without-statement' ? undefined : code
    }
    const digest = digestOf(artifact)
    return (
      verifyAttestation({ bundle, trustedRoot, policy: { ...policy, predicateType, artifact: digest }, now, oldVersions: true }).code ??
      'verified'
    )
  } catch (error) {
    if (error instanceof Failure) return error.code
    throw error
  }
}

function rootOf(file: string): TrustedRoot {
  return parseTrustedRoot(existsSync(file) ? readFileSync(file) : publicGoodSnapshotBytes())
}

/** The suite's cases are of any kind, and each is asked for its own; undefined where bytes are signed, and not a statement. */
function predicateTypeOf(bundle: Buffer): string | undefined {
  try {
    const { dsseEnvelope } = JSON.parse(bundle.toString('utf8')) as { dsseEnvelope?: { payload: string } }
    if (dsseEnvelope === undefined) return undefined
    const statement = JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString('utf8')) as { predicateType?: unknown }
    return typeof statement.predicateType === 'string' ? statement.predicateType : ''
  } catch {
    // What cannot be read is for the verifier to refuse.
    return ''
  }
}
