import type { Bundle } from '@sigstore/bundle'
import { PolicyError, type TrustMaterial, toSignedEntity, VerificationError, type VerificationPolicy, Verifier } from '@sigstore/verify'
import type { BundleSigner } from './bundle-signer.ts'
import type { CheckName } from './check.ts'
import type { Thresholds } from './policy.ts'
import type { RejectionCode } from './rejections.ts'
import type { TrustedRoot } from './trusted-root.ts'

type Objection = { readonly check: CheckName; readonly code: RejectionCode }

const NOBODY: TrustedRoot['material'] = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] }

/**
 * The whole bundle through `@sigstore/verify`: chain, certificate log, timestamps, log entries, signature. It stops at the first objection;
 * whatever it throws is one. The name is given to it escaped and anchored, since it takes a text for a regular expression.
 */
export function objectionOfLibrary(o: {
  readonly bundle: Bundle
  readonly message: Uint8Array | undefined
  readonly root: TrustedRoot | null
  readonly signer: BundleSigner
  readonly thresholds: Thresholds
}): Objection | undefined {
  const { certificate, key } = o.signer
  // The hint in the bundle finds the one key that was chosen for it, and no other.
  const material: TrustMaterial = { ...(o.root?.material ?? NOBODY), publicKey: () => ({ publicKey: key, validFor: () => true }) }
  const policy: VerificationPolicy | undefined =
    certificate === null
      ? undefined
      : {
          subjectAlternativeName: exactly(certificate.subjectAlternativeName),
          extensions: certificate.issuer === null ? {} : { issuer: certificate.issuer },
        }
  try {
    const verifier = new Verifier(material, {
      tlogThreshold: o.thresholds.logEntries,
      ctlogThreshold: o.thresholds.certificateTimestamps,
      // Of a certificate it looks at nothing unless there is a time.
      timestampThreshold: Math.max(o.thresholds.times, certificate === null ? 0 : 1),
    })
    const entity = toSignedEntity(o.bundle, o.message === undefined ? undefined : Buffer.from(o.message))
    // The same certificate, with its bytes kept.
    const signer = certificate === null ? {} : { key: { $case: 'certificate' as const, certificate: certificate.certificate } }
    verifier.verify({ ...entity, ...signer }, policy)
    return undefined
  } catch (error) {
    return objection(error)
  }
}

function exactly(name: string): RegExp {
  return new RegExp(`^${name.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)}$`)
}

function objection(error: unknown): Objection {
  if (error instanceof PolicyError) return { check: 'signer', code: 'identity-mismatch' }
  const known = error instanceof VerificationError ? OBJECTIONS[error.code] : undefined
  // Anything else is a parser that met what it did not expect.
  if (known === undefined) return { check: 'bundle', code: 'bundle-malformed' }
  const aboutCertificateLog = error instanceof VerificationError && error.code === 'CERTIFICATE_ERROR' && /\bSCTs?\b/.test(error.message)
  return aboutCertificateLog ? { check: 'certificate', code: 'certificate-timestamp-invalid' } : known
}

const OBJECTIONS: Readonly<Record<VerificationError['code'], Objection | undefined>> = {
  TIMESTAMP_ERROR: { check: 'time', code: 'timestamp-invalid' },
  CERTIFICATE_ERROR: { check: 'certificate', code: 'certificate-untrusted' },
  PUBLIC_KEY_ERROR: { check: 'signer', code: 'key-unknown' },
  TLOG_INCLUSION_PROMISE_ERROR: { check: 'log', code: 'log-promise-invalid' },
  TLOG_INCLUSION_PROOF_ERROR: { check: 'log', code: 'log-proof-invalid' },
  TLOG_MISSING_INCLUSION_ERROR: { check: 'log', code: 'log-proof-missing' },
  TLOG_BODY_ERROR: { check: 'log', code: 'log-entry-mismatch' },
  TLOG_ERROR: { check: 'log', code: 'log-entry-duplicate' },
  SIGNATURE_ERROR: { check: 'signature', code: 'signature-invalid' },
  NOT_IMPLEMENTED_ERROR: undefined,
}
