import type { FlagParametersForType } from '@stricli/core'
import { z } from 'zod'
import type { RequiredSigner } from '../../../../attestations/verify/policy.ts'
import { parseSha256, type Sha256 } from '../../../../verifier/model/digest.ts'
import { Failure } from '../../../../verifier/model/failure.ts'
import type { BundleSource, VerifyAttestationCommand } from '../../../app/verify-attestation.ts'
import { bundleSourceOf, parseAge, parseCount, predicateTypeOf } from '../../attestation-arguments.ts'
import type { CliContext } from '../../cli-context.ts'
import { command, fileFlag, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'

type Flags = {
  readonly json: boolean
  readonly artifact?: string
  readonly digest?: Sha256
  readonly certificateIdentity?: string
  readonly certificateIdentityPattern?: string
  readonly certificateOidcIssuer?: string
  readonly key?: readonly string[]
  readonly type: string
  readonly maxAge?: number
  readonly trustedRoot?: string
  readonly refreshTrustedRoot: boolean
  readonly logEntries?: number
  readonly times?: number
  readonly certificateTimestamps?: number
}

const text = (value: string): string => value
const optional = <T>(parse: (value: string) => T, placeholder: string, brief: string) =>
  ({ kind: 'parsed', parse, placeholder, brief, optional: true }) as const

const flags: FlagParametersForType<Flags, CliContext> = {
  ...jsonFlag,
  artifact: fileFlag('The artifact that the statement must be about'),
  digest: optional(parseSha256, 'sha256:…', 'Its digest, in place of the artifact itself'),
  certificateIdentity: optional(text, 'NAME', 'Who must have signed, as the certificate has it, exactly'),
  certificateIdentityPattern: optional(text, 'PATTERN', 'The same with * for any characters but / ? # @, and ** for any'),
  certificateOidcIssuer: optional(text, 'URL', 'Who must have vouched for the signer, exactly'),
  key: {
    kind: 'parsed',
    parse: text,
    variadic: true,
    optional: true,
    placeholder: 'FILE',
    brief: 'A public key in PEM that must have signed; of several, any',
  },
  type: {
    kind: 'parsed',
    parse: predicateTypeOf,
    default: 'reproduced',
    placeholder: 'KIND',
    brief: 'reproduced, rebuild-result, provenance, vsa, sbom, or a URI',
  },
  maxAge: optional(parseAge, 'AGE', 'How old it may be: 90s, 30m, 24h, 7d'),
  trustedRoot: fileFlag('Whom to trust, instead of the public Sigstore instance'),
  refreshTrustedRoot: {
    kind: 'boolean',
    brief: "Ask the public instance for today's trusted root first",
    default: false,
    withNegated: false,
  },
  logEntries: optional(parseCount, 'N', 'Logs that must have it; 1 with a certificate, 0 with a key'),
  times: optional(parseCount, 'N', 'Others that must say when; 1 with a certificate, 0 with a key'),
  certificateTimestamps: optional(parseCount, 'N', 'Logs that must have the certificate; 1 if not given'),
}

export const verifyAttestation = command<Flags, [BundleSource]>({
  brief: 'Verify a signed statement about an artifact; asks no network unless told to',
  parameters: {
    flags,
    positional: {
      kind: 'tuple',
      parameters: [{ parse: bundleSourceOf, brief: 'A file of bundles, IMAGE@sha256:… or an https URL', placeholder: 'BUNDLE' }],
    },
  },
  async run(io, flags, source) {
    const command = { source, artifact: artifactOf(flags), ...asked(flags), signal: io.signal }
    // Schemas are used once here: compiling them would take longer than it saves.
    z.config({ jitless: true })
    const [{ verifyAttestations }, { AttestationCheckDocument }, { attestationLines }, room] = await Promise.all([
      import('../../../app/verify-attestation.ts'),
      import('../../../app/attestation-check.ts'),
      import('../../render/attestation.ts'),
      io.verifying(),
    ])
    const signer = await signerOf(flags)
    const document = await verifyAttestations(room, { ...command, policy: { ...command.policy, signer } })
    await printAnswer(io, {
      json: flags.json,
      schema: AttestationCheckDocument,
      value: document,
      lines: () => attestationLines(document, io),
    })
    return document.verdict === 'verified' ? EXIT.yes : EXIT.no
  },
})

function artifactOf({ artifact, digest }: Flags): VerifyAttestationCommand['artifact'] {
  if (artifact !== undefined && digest !== undefined)
    throw new Failure({
      code: 'artifact-ambiguous',
      message: 'the artifact is given twice',
      hint: 'give --artifact FILE or --digest sha256:…, not both',
    })
  if (digest !== undefined) return { digest }
  return artifact === undefined ? null : { file: artifact }
}

function asked(flags: Flags) {
  const { type, maxAge, logEntries, times, certificateTimestamps, trustedRoot, refreshTrustedRoot } = flags
  if (trustedRoot !== undefined && refreshTrustedRoot)
    throw new Failure({
      code: 'trusted-root-ambiguous',
      message: 'one trusted root is given, and another is to be fetched',
      hint: 'give --trusted-root FILE or --refresh-trusted-root, not both',
    })
  const thresholds = {
    ...(logEntries === undefined ? {} : { logEntries }),
    ...(times === undefined ? {} : { times }),
    ...(certificateTimestamps === undefined ? {} : { certificateTimestamps }),
  }
  return {
    policy: { predicateType: type, thresholds, ...(maxAge === undefined ? {} : { maxAgeSeconds: maxAge }) },
    trustedRoot: { file: trustedRoot ?? null, refresh: refreshTrustedRoot },
  }
}

async function signerOf(flags: Flags): Promise<RequiredSigner> {
  const { certificateIdentity, certificateIdentityPattern, certificateOidcIssuer, key = [] } = flags
  const names = [certificateIdentity, certificateIdentityPattern].filter((name) => name !== undefined)
  if (names.length > 1 || (key.length > 0 && (names.length > 0 || certificateOidcIssuer !== undefined)))
    throw new Failure({
      code: 'signer-ambiguous',
      message: 'who must have signed is given in more than one way',
      hint: 'give --certificate-identity or --certificate-identity-pattern with --certificate-oidc-issuer, or --key',
    })
  if (key.length > 0) return { kind: 'key', publicKeys: await Promise.all(key.map(readKey)) }
  const name = certificateIdentityPattern === undefined ? certificateIdentity : { pattern: certificateIdentityPattern }
  if (name === undefined || certificateOidcIssuer === undefined)
    throw new Failure({
      code: 'policy-identity-missing',
      message: 'nothing says who must have signed',
      hint: 'give --certificate-identity NAME and --certificate-oidc-issuer URL, or --key FILE',
    })
  return { kind: 'certificate', subjectAlternativeName: name, issuer: certificateOidcIssuer }
}

const MAX_KEY = 64 * 1024

async function readKey(file: string): Promise<string> {
  const { readNamedFile } = await import('../../../app/named-file.ts')
  return (await readNamedFile(file, { what: 'the key', maxBytes: MAX_KEY })).toString('utf8')
}
