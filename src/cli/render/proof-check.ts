import { withPrefix } from '../../../verifier/model/digest.ts'
import { visible } from '../../../verifier/model/visible.ts'
import type { Difference, ProofCheckDocument } from '../../app/proof-check.ts'
import { formatSize } from '../../config/size.ts'
import type { LogTail } from '../log-tail.ts'
import { attestationLines, signerText } from './attestation.ts'
import { type Paint, paint } from './paint.ts'
import { reportLines } from './report.ts'

/** The rebuild's own report, with what it comes to beside the proof right behind its verdict. */
export function proofCheckLines(document: ProofCheckDocument, options: { readonly color: boolean; readonly tail?: LogTail }): string[] {
  const { report, attestation, proof } = document
  const brushes = paint(options.color)
  const about = [`proof  ${withPrefix(proof.sha256)}  ${formatSize(proof.size)}`, `       report ${withPrefix(proof.report)}`]
  if (report === null)
    return [
      ...(attestation.check === null ? [] : attestationLines(attestation.check, options)),
      '',
      'nothing was rebuilt; without a flag that says who signed, the proof is rebuilt as nobody’s word',
      ...about,
    ]
  const lines = reportLines(report, options)
  const head = lines.indexOf('')
  return [
    ...lines.slice(0, head),
    '',
    agreementLine(document, brushes),
    ...document.differences.map((one) => `  ${differenceLine(one)}`),
    ...signerLines(attestation, brushes),
    ...about,
    ...lines.slice(head),
  ]
}

function agreementLine({ agreement, proof }: ProofCheckDocument, brushes: Paint): string {
  const said = `${proof.verdict}${proof.tier === null ? '' : ` (${proof.tier})`}`
  switch (agreement) {
    case 'agrees':
      return `${brushes.good('agrees')} with the proof, which says ${said}`
    case 'disagrees':
      return `${brushes.bad('disagrees')} with the proof, which says ${said}`
    case 'unknown':
      return `${brushes.unsure('unknown')} whether the proof is right, which says ${said}`
  }
}

function differenceLine({ what, name, proof, here }: Difference): string {
  const side = (value: string | null): string => (value === null ? 'none' : visible(value))
  return `${what}${name === null ? '' : ` ${visible(name)}`}: ${side(proof)} in the proof, ${side(here)} here`
}

function signerLines({ result, message, check }: ProofCheckDocument['attestation'], brushes: Paint): string[] {
  if (check === null) return [`${brushes.unsure(result)}   ${message}; name the signer by --key or --certificate-identity`]
  const signer = check.bundles.find(({ verdict }) => verdict === 'verified')?.signer
  return [`${brushes.good(result)}   ${signer == null ? visible(message) : `signed by ${signerText(signer)}`}`]
}
