import { visible } from '../../../verifier/model/visible.ts'
import type { AttestationCheckDocument } from '../../app/attestation-check.ts'
import { paint } from './paint.ts'

type One = AttestationCheckDocument['bundles'][number]

/** What verifying came to: one line that says it, then who and what, then each check. */
export function attestationLines(document: AttestationCheckDocument, options: { readonly color: boolean }): string[] {
  const { verdict, code, message, hint, asked, bundles, skipped, truncated } = document
  const brushes = paint(options.color)
  const verified = bundles.filter((one) => one.verdict === 'verified')
  const head =
    code === null ? [brushes.good('verified')] : [`${brushes.bad('rejected')}: ${visible(message)} (${code})`, `  ${visible(hint ?? '')}`]
  const question = `${visible(asked.predicateType)} about sha256:${asked.artifact}`
  const about = [verdict === 'verified' ? `  ${question}` : `  asked for: ${question}`]
  // Of an image with many attestations, those that are not verified are of other kinds as a rule.
  const told = verdict === 'verified' ? verified : bundles
  return [
    ...head,
    ...about,
    ...told.flatMap((one) => bundleLines(one, options)),
    ...others(bundles.length - told.length),
    ...unread(skipped, truncated),
  ]
}

function bundleLines({ sha256, signer, signedAt, checks }: One, options: { readonly color: boolean }): string[] {
  const brushes = paint(options.color)
  const colors = { pass: brushes.good, fail: brushes.bad, skip: brushes.unsure }
  return [
    '',
    `bundle sha256:${sha256}`,
    ...(signer === null ? [] : [`  signed by ${signerText(signer)}`]),
    ...(signedAt === null ? [] : [`  before ${visible(signedAt)}, as others say`]),
    ...checks.map(({ name, result, code, message }) =>
      `  ${colors[result](result)}  ${name.padEnd(14)}  ${visible(message)}${code === null ? '' : ` (${code})`}`.trimEnd(),
    ),
  ]
}

/** Who signed, in words. */
export function signerText(signer: NonNullable<One['signer']>): string {
  if (signer.kind === 'key') return `the key sha256:${signer.fingerprint}`
  return `${visible(signer.subjectAlternativeName)}, for whom ${visible(signer.issuer ?? 'nobody')} vouched`
}

function others(count: number): string[] {
  return count === 0 ? [] : ['', `${count} other bundle${count === 1 ? '' : 's'} beside it: not verified, which takes nothing from it`]
}

function unread(skipped: AttestationCheckDocument['skipped'], truncated: boolean): string[] {
  const lines = skipped.map(({ manifest, code }) => `skip  sha256:${manifest}  listed as a bundle, and could not be had (${visible(code)})`)
  const all = truncated ? [...lines, 'skip  more is attached than was looked at'] : lines
  return all.length === 0 ? [] : ['', ...all]
}
