import path from 'node:path'
import { withPrefix } from '../../../verifier/model/digest.ts'
import { visible } from '../../../verifier/model/visible.ts'
import type { AttestationSet } from '../../app/attestation-set.ts'
import { paint } from './paint.ts'
import { quoted } from './quoted.ts'

/** What was signed by whom, where it lies, and how anybody checks it. */
export function attestLines(set: AttestationSet, options: { readonly color: boolean; readonly folder: string }): string[] {
  const brushes = paint(options.color)
  const at = (file: string): string => visible(path.join(options.folder, file))
  const { report, signer } = set
  const tier = report.tier === null ? '' : ` (${report.tier})`
  return [
    `${brushes.good('signed')} ${report.verdict}${tier}, report ${withPrefix(report.sha256)}`,
    '',
    ...signerLines(signer, at),
    ...set.attestations.flatMap((one) => [
      '',
      `${brushes.strong(visible(one.predicateType))}`,
      ...one.subjects.map((subject) => `  about   ${withPrefix(subject.sha256)}  ${visible(subject.name)}`),
      `  bundle  ${at(one.file)}`,
      ...(one.envelope === null ? [] : [`  dsse    ${at(one.envelope)}`]),
    ]),
    '',
    `To check them with cosign 3, in ${visible(options.folder)}:`,
    '',
    ...set.attestations.map(({ check }) => `  ${check.map(quoted).join(' ')}`),
  ]
}

function signerLines(signer: AttestationSet['signer'], at: (file: string) => string): string[] {
  if (signer.kind === 'sigstore') return [`by      ${visible(signer.subjectAlternativeName)}`, `        as ${visible(signer.issuer)} says`]
  return [
    `key     ${withPrefix(signer.fingerprint)}`,
    `        ${at(signer.publicKey)}; whoever relies on it has to get the fingerprint from you by another way`,
  ]
}
