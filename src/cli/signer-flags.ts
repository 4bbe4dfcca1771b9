import type { FlagParametersForType } from '@stricli/core'
import type { RequiredSigner, SignerPolicy } from '../../attestations/verify/policy.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { TrustedRootChoice } from '../app/verify-attestation.ts'
import { parseAge, parseCount } from './attestation-arguments.ts'
import type { CliContext } from './cli-context.ts'
import { fileFlag } from './command.ts'

/** Flags that say who must have signed, and whom to trust for it. */
export type SignerFlags = {
  readonly certificateIdentity?: string
  readonly certificateIdentityPattern?: string
  readonly certificateOidcIssuer?: string
  readonly key?: readonly string[]
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

export const signerFlags: FlagParametersForType<SignerFlags, CliContext> = {
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

export type AskedSigner = {
  readonly policy: Omit<SignerPolicy, 'signer'> & { readonly maxAgeSeconds?: number }
  readonly trustedRoot: TrustedRootChoice
}

/** Everything but who. Throws `trusted-root-ambiguous`. */
export function askedOf(flags: SignerFlags): AskedSigner {
  const { maxAge, logEntries, times, certificateTimestamps, trustedRoot, refreshTrustedRoot } = flags
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
    policy: { thresholds, ...(maxAge === undefined ? {} : { maxAgeSeconds: maxAge }) },
    trustedRoot: { file: trustedRoot ?? null, refresh: refreshTrustedRoot },
  }
}

/** Whether anything is said of the signer. */
export function saysSigner({ refreshTrustedRoot, ...flags }: SignerFlags): boolean {
  return refreshTrustedRoot || Object.keys(signerFlags).some((name) => (flags as Readonly<Record<string, unknown>>)[name] !== undefined)
}

/** Who must have signed. Rejects with `signer-ambiguous`, `policy-identity-missing`, `file-unreadable`. */
export async function signerOf(flags: SignerFlags): Promise<RequiredSigner> {
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
  const { readNamedFile } = await import('../../verifier/bytes/named-file.ts')
  return (await readNamedFile(file, { what: 'the key', maxBytes: MAX_KEY })).toString('utf8')
}
