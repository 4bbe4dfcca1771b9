import { KIND_NAMES, PREDICATE_TYPE } from '../../../attestations/statement/predicate-types.ts'
import { type Sha256, withPrefix } from '../../../verifier/model/digest.ts'
import { visible } from '../../../verifier/model/visible.ts'
import type { SubmissionDocument } from '../../client/submission-document.ts'
import { paint } from './paint.ts'
import { quoted } from './quoted.ts'

type Verification = SubmissionDocument['verification']

/** What there is to say of a verification that has no report: it is not over, was cancelled, or its source could not be had. */
export function unreportedLines({ state, verdict, reasons }: Verification, options: { readonly color: boolean }): string[] {
  const { unsure } = paint(options.color)
  return [
    unsure(verdict ?? state),
    ...reasons.map(({ code, message }) => `  ${visible(code)}: ${visible(message)}`),
    ...(state === 'finished' || state === 'cancelled' ? [] : ['  the service goes on; the same command without --no-wait follows it']),
  ]
}

/** Where the verification is to be read, and how anybody checks what was signed of it. `server` has a slash at its end. */
export function submittedLines({ verification, report }: SubmissionDocument, server: URL): string[] {
  const { id, attestations, unsigned } = verification
  const built = report?.attempts.flatMap(({ artifacts }) => artifacts)[0]?.sha256
  const claimed = verification.claims?.[0]?.sha256
  return [
    '',
    `verification ${id}`,
    `  ${placeOf(verification, server)}`,
    ...(verification.report === null ? [] : [`  report ${new URL(`v1/blobs/${verification.report}`, server).href}`]),
    ...attestations.flatMap(({ predicateType, bundle, signer }) => [
      '',
      `signed ${visible(predicateType)} by ${visible(signer)}; to check it:`,
      '',
      `  ${checkOf({ server, bundle, predicateType, signer, about: predicateType === PREDICATE_TYPE.provenance ? built : claimed })}`,
    ]),
    ...unsigned.map(
      ({ predicateType, lastCode }) => `${visible(predicateType)} is yet to be signed${lastCode === null ? '' : ` (${visible(lastCode)})`}`,
    ),
    ...(attestations.some(({ signer }) => certified(signer) === null)
      ? ['', 'KEY.pub is the public key of the service, which has to reach you by another way.']
      : []),
  ]
}

/** Where a verification is to be read. */
export function placeOf({ id }: Pick<Verification, 'id'>, server: URL): string {
  return new URL(`v1/verifications/${id}`, server).href
}

/** A command line that checks a bundle where the service has it. What is fetched without TLS has to be allowed. */
function checkOf(o: { server: URL; bundle: Sha256; predicateType: string; signer: string; about: Sha256 | undefined }): string {
  const allow = o.server.protocol === 'https:' ? '' : "BITWITNESS_SOURCES_ALLOW='plain-http private-hosts' "
  const url = new URL(`v1/blobs/${o.bundle}`, o.server).href
  const digest = o.about === undefined ? [] : ['--digest', withPrefix(o.about)]
  const name = certified(o.signer)
  const who = name === null ? ['--key', 'KEY.pub'] : ['--certificate-identity', name.identity, '--certificate-oidc-issuer', name.issuer]
  const type = KIND_NAMES.get(o.predicateType) ?? o.predicateType
  const words = ['bitwitness', 'attestation', 'verify', url, '--type', type, ...who, ...digest]
  return `${allow}${words.map(quoted).join(' ')}`
}

/** Whom a certificate names, and who vouches for them; null where a key signed. */
function certified(signer: string): { readonly identity: string; readonly issuer: string } | null {
  const [, identity, issuer] = /^(\S+) by (https:\/\/\S+)$/.exec(signer) ?? []
  return identity === undefined || issuer === undefined ? null : { identity, issuer }
}
