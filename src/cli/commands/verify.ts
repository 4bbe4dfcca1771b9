import type { FlagParametersForType } from '@stricli/core'
import { type Claim, parseClaim } from '../../../verifier/model/claim.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { VerificationReport } from '../../../verifier/model/report.ts'
import { claimsOf } from '../../app/claimed-location.ts'
import { ProofCheckDocument } from '../../app/proof-check.ts'
import type { CliContext, CliIo } from '../cli-context.ts'
import { command } from '../command.ts'
import { type ExitCode, exitOfProofCheck, exitOfVerdict } from '../exit-code.ts'
import { LogTail } from '../log-tail.ts'
import { printAnswer, writeDocument } from '../output.ts'
import { type RebuildFlags, rebuildFlags, rebuilding } from '../rebuild-flags.ts'
import { proofCheckLines } from '../render/proof-check.ts'
import { reportLines } from '../render/report.ts'
import { requireReportFile } from '../report-file.ts'
import { askedOf, type SignerFlags, saysSigner, signerFlags, signerOf } from '../signer-flags.ts'
import { sourceArgument } from '../source-argument.ts'

type VerifyFlags = RebuildFlags & SignerFlags & { readonly claim?: readonly Claim[]; readonly claimed?: string; readonly from?: string }

const text = (value: string): string => value

const flags: FlagParametersForType<VerifyFlags, CliContext> = {
  claim: {
    kind: 'parsed',
    parse: parseClaim,
    variadic: true,
    optional: true,
    brief: 'What is claimed: of kind file, oci-manifest or dstack-os-image; file if not said',
    placeholder: '[KIND=]sha256:…',
  },
  claimed: {
    kind: 'parsed',
    parse: text,
    brief: 'Where the claimed bytes are, to explain a difference; an image is a claim too',
    optional: true,
    placeholder: 'FILE|URL|IMAGE@sha256:…',
  },
  from: {
    kind: 'parsed',
    parse: text,
    brief: 'Rebuild what this proof is about, and say whether that agrees with it',
    optional: true,
    placeholder: 'PROOF|URL',
  },
  ...rebuildFlags,
  report: { ...rebuildFlags.report, brief: 'Write the report of this rebuild to this file as well, for attest' },
  ...signerFlags,
}

export const verify = command<VerifyFlags, [string?]>({
  brief: 'Rebuild a recipe here and hold the result against what its publisher claims',
  parameters: {
    flags,
    positional: { kind: 'tuple', parameters: [{ ...sourceArgument.parameters[0], optional: true }] },
  },
  async run(io, flags, source) {
    if (flags.from !== undefined) return await verifyFrom(io, flags.from, flags, source)
    if (source === undefined || saysSigner(flags)) throw misused(source)
    const { claim = [], claimed = null } = flags
    // Told before anything is opened.
    const claims = claimsOf(claim, claimed)
    const tail = new LogTail()
    await requireReportFile(flags.report)
    await using useCases = await io.open()
    const report = await rebuilding(io, flags, source, (o) => useCases.verify({ ...o, emit: tail.before(o.emit), claims, claimed }))
    await printAnswer(io, {
      json: flags.json,
      file: flags.report,
      schema: VerificationReport,
      value: report,
      lines: () => reportLines(report, { color: io.color, tail, claimed: claimed !== null }),
    })
    return exitOfVerdict(report.verdict)
  },
})

async function verifyFrom(io: CliIo, proof: string, flags: VerifyFlags, source: string | undefined): Promise<ExitCode> {
  const { claim: claims = [], claimed = null } = flags
  const { policy, trustedRoot } = askedOf(flags)
  const signer = saysSigner(flags) ? { policy: { ...policy, signer: await signerOf(flags) }, trustedRoot } : null
  await requireReportFile(flags.report)
  const [useCases, attestations] = await Promise.all([io.open(), io.verifying()])
  await using _opened = useCases
  const tail = new LogTail()
  const document = await rebuilding(io, flags, source ?? '', (o) =>
    useCases.verifyProof({ ...o, emit: tail.before(o.emit), proof, source: source ?? null, claims, claimed, signer }, attestations),
  )
  await printAnswer(io, {
    json: flags.json,
    schema: ProofCheckDocument,
    value: document,
    lines: () => proofCheckLines(document, { color: io.color, tail }),
  })
  // What can be attested is the rebuild's own report.
  if (flags.report !== undefined && document.report !== null) await writeDocument(flags.report, VerificationReport, document.report)
  return exitOfProofCheck(document)
}

function misused(source: string | undefined): Failure {
  return source === undefined
    ? new Failure({
        code: 'source-not-given',
        message: 'nothing says what to rebuild',
        hint: 'give a source, or a proof with --from',
      })
    : new Failure({
        code: 'flag-without-proof',
        message: 'who must have signed is asked of a proof, and there is none',
        hint: 'give the proof with --from, or leave out the flags that say who signed',
      })
}
