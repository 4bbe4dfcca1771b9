import { verificationReport } from '../../verifier/attempt/report.ts'
import type { Claim } from '../../verifier/model/claim.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import { judge } from './judge.ts'
import type { Ports } from './ports.ts'
import { type RebuildCommand, rebuild } from './rebuild.ts'

export type VerifyCommand = RebuildCommand & {
  readonly claims: readonly Claim[]
  /** File or URL of the claimed bytes, to explain a difference. Never opened before the attempts are over. */
  readonly claimed: string | null
}

/** Rebuilds a source here and holds the result against what its publisher claims. Rejects with `claim-missing` without a claim. */
export async function verify(ports: Ports, command: VerifyCommand): Promise<VerificationReport> {
  if (command.claims.length === 0)
    throw new Failure({
      code: 'claim-missing',
      message: 'there is no claim to hold the rebuild against',
      hint: 'add --claim sha256:…, or use check',
    })
  await using scratch = await ports.scratch()
  const rebuilt = await rebuild(ports, command, scratch.path)
  const { comparisons, explained } = await judge(ports, rebuilt, { ...command, scratch: scratch.path })
  return verificationReport(command.claims, { ...rebuilt, comparisons, explained, finishedAt: ports.now(), version: ports.version })
}
