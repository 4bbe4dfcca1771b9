import { type Claim, parseClaim } from '../../../verifier/model/claim.ts'
import { VerificationReport } from '../../../verifier/model/report.ts'
import { claimsOf } from '../../app/claimed-location.ts'
import { command } from '../command.ts'
import { exitOfVerdict } from '../exit-code.ts'
import { printAnswer } from '../output.ts'
import { type RebuildFlags, rebuildFlags, rebuilding } from '../rebuild-flags.ts'
import { reportLines } from '../render/report.ts'
import { sourceArgument } from '../source-argument.ts'

type VerifyFlags = RebuildFlags & { readonly claim?: readonly Claim[]; readonly claimed?: string }

export const verify = command<VerifyFlags, [string]>({
  brief: 'Rebuild a recipe here and hold the result against what its publisher claims',
  parameters: {
    flags: {
      claim: {
        kind: 'parsed',
        parse: parseClaim,
        variadic: true,
        optional: true,
        brief: 'What is claimed; the kind is file, oci-manifest or dstack-os-image, file if not said',
        placeholder: '[KIND=]sha256:…',
      },
      claimed: {
        kind: 'parsed',
        parse: (text: string): string => text,
        brief: 'Where the claimed bytes are, to explain a difference; an image is a claim too',
        optional: true,
        placeholder: 'FILE|URL|IMAGE@sha256:…',
      },
      ...rebuildFlags,
    },
    positional: sourceArgument,
  },
  async run(io, flags, source) {
    const { claim = [], claimed = null } = flags
    // Told before anything is opened.
    const claims = claimsOf(claim, claimed)
    await using useCases = await io.open()
    const report = await rebuilding(io, flags, source, (o) => useCases.verify({ ...o, claims, claimed }))
    await printAnswer(io, {
      json: flags.json,
      file: flags.report,
      schema: VerificationReport,
      value: report,
      lines: () => reportLines(report, io),
    })
    return exitOfVerdict(report.verdict)
  },
})
