import { Failure, firstFailure } from '../../verifier/model/failure.ts'
import type { CheckVerdict, Verdict } from '../../verifier/model/verdict.ts'
import type { ProofCheckDocument } from '../app/proof-check.ts'

/** What the program's exit code says. */
export const EXIT = {
  /** The answer is yes: reproduced, repeatable, no difference, done. */
  yes: 0,
  /** The answer is no. */
  no: 1,
  /** The command line or a setting is wrong; nothing was done. */
  usage: 2,
  /** We could not find out. */
  unknown: 3,
  /** Interrupted, as shells say it: 128 + SIGINT. */
  interrupted: 130,
} as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Null is the verdict of what was cancelled. */
export function exitOfVerdict(verdict: Verdict | CheckVerdict | null): ExitCode {
  switch (verdict) {
    case 'reproduced':
    case 'repeatable':
      return EXIT.yes
    case 'mismatch':
    case 'nondeterministic':
    case 'build-failed':
    case 'refused':
      return EXIT.no
    case 'undecided':
      return EXIT.unknown
    case null:
      return EXIT.interrupted
  }
}

/** The verdict of the rebuild decides; one that is not what the proof says is a no, whatever it is. */
export function exitOfProofCheck({ verdict, agreement }: Pick<ProofCheckDocument, 'verdict' | 'agreement'>): ExitCode {
  if (verdict === 'rejected' || agreement === 'disagrees') return EXIT.no
  return exitOfVerdict(verdict)
}

/** Failures that the caller's own words caused, a file that is not there among them. Everything else stopped us from finding out. */
const USAGE: ReadonlySet<string> = new Set([
  'app-name-malformed',
  'artifact-ambiguous',
  'artifact-missing',
  'artifact-unknown',
  'attempts-malformed',
  'boot-info-unread',
  'build-folder-unreadable',
  'builder-ambiguous',
  'builder-id-missing',
  'builder-profile-unknown',
  'builder-unknown',
  'bundle-source-malformed',
  'claim-kind-unknown',
  'claim-missing',
  'claimed-unreadable',
  'bundle-of-another-subject',
  'bundle-unsupported',
  'bundles-too-large',
  'collateral-malformed',
  'collateral-unread',
  'compose-exists',
  'compose-text-unwritable',
  'compose-unread',
  'coordinator-malformed',
  'coordinator-missing',
  'days-malformed',
  'deploy-environment-undeclared',
  'deploy-health-malformed',
  'deploy-input-changed',
  'deploy-name-malformed',
  'deploy-nothing-given',
  'deploy-number-malformed',
  'deploy-option-missing',
  'deploy-option-unfit',
  'deploy-port-malformed',
  'deploy-target-unknown',
  'digest-malformed',
  'download-plain-http',
  'download-url-malformed',
  'engine-address-unknown',
  'envelope-without-key',
  'environment-malformed',
  'environment-unread',
  'file-unreadable',
  'flag-contradicts-proof',
  'flag-without-proof',
  'gate-subject',
  'gateway-not-listed',
  'gateway-url-domain',
  'gateway-url-malformed',
  'health-path-malformed',
  'input-lock-malformed',
  'inspect-gateway',
  'measurements-malformed',
  'measurements-unread',
  'image-digest-missing',
  'image-digest-unexpected',
  'image-reference-malformed',
  'image-tag-malformed',
  'image-user-missing',
  'inputs-of-another-lock',
  'key-encrypted',
  'key-malformed',
  'key-of-another-signer',
  'key-not-private',
  'key-unreadable',
  'key-unsupported',
  'lock-not-at-hand',
  'lock-of-another-build',
  'lock-unreadable',
  'name-malformed',
  'output-not-empty',
  'output-unusable',
  'policies-unreadable',
  'policy-age-malformed',
  'policy-identity-missing',
  'policy-threshold-malformed',
  'policy-time-needed',
  'policy-unread',
  'predicate-type-malformed',
  'proof-source-missing',
  'proof-unwritten',
  'public-key-malformed',
  'public-key-unsupported',
  'report-malformed',
  'report-unwritable',
  'server-malformed',
  'server-missing',
  'setting-conflict',
  'sbom-malformed',
  'sbom-of-another-image',
  'registry-ca-unreadable',
  'setting-invalid',
  'setting-unknown',
  'quote-root-ambiguous',
  'signer-ambiguous',

  'signer-has-no-key',
  'signer-is-owner',
  'simulated-root-malformed',
  'snapshot-malformed',
  'source-archive-format',
  'source-bare-repository',
  'source-local-refused',
  'source-malformed',
  'source-missing',
  'source-not-given',
  'source-of-another-report',
  'source-path-malformed',
  'source-protocol',
  'source-ref-malformed',
  'source-revision-missing',
  'source-url-malformed',
  'source-url-userinfo',
  'submission-malformed',
  'target-key-missing',
  'target-secret-unreadable',
  'targets-malformed',
  'targets-unreadable',
  'token-missing',
  'token-days-malformed',
  'token-scope-unknown',
  'token-unknown',
  'trusted-root-ambiguous',
  'trusted-root-malformed',
  'trusted-root-unreadable',
  'vmm-address-malformed',
  'vmm-socket-absent',
  'worker-exists',
  'worker-key-malformed',
  'worker-unknown',
])

export function exitOfFailure(thrown: unknown): ExitCode {
  const error = firstFailure(thrown)
  if (isAbort(error)) return EXIT.interrupted
  return error instanceof Failure && (USAGE.has(error.code) || refusedByService(error)) ? EXIT.usage : EXIT.unknown
}

/** What a service answered with: 4xx, but for what may pass. */
function refusedByService({ data, retryable }: Failure): boolean {
  const status = data['answered']
  return typeof status === 'number' && status >= 400 && status < 500 && !retryable
}

/** Whether an error only says that the caller asked us to stop. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || (error instanceof Failure && error.code === 'cancelled'))
}
