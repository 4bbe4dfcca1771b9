import { verificationReport, type Witnessed } from '../../verifier/attempt/report.ts'
import type { Claim } from '../../verifier/model/claim.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import { claimsOf } from './claimed-location.ts'
import { type Judgeable, type JudgeOptions, judge } from './judge.ts'
import type { Ports } from './ports.ts'
import { type RebuildCommand, rebuild } from './rebuild.ts'

export type VerifyCommand = RebuildCommand & {
  readonly claims: readonly Claim[]
  /** File, URL or image in a registry with the claimed bytes, to explain a difference. Never opened before the attempts are over. */
  readonly claimed: string | null
}

/**
 * Rebuilds a source here and holds the result against what its publisher claims; an image that is given as the claimed one is a claim too.
 * Rejects with `claim-missing` without a claim.
 */
export async function verify(ports: Ports, command: VerifyCommand): Promise<VerificationReport> {
  const claims = claimsOf(command.claims, command.claimed)
  await using scratch = await ports.scratch()
  const rebuilt = await rebuild(ports, command, scratch.path)
  return await holdAgainst(ports, rebuilt, { ...command, claims, scratch: scratch.path })
}

/** Holds what was rebuilt against claims: comparisons, verdict, and why bits differ. */
export async function holdAgainst(
  ports: Pick<Ports, 'blobs' | 'fetchClaimed' | 'outputBytes' | 'now' | 'version'>,
  rebuilt: Judgeable & Omit<Witnessed, 'comparisons' | 'explained' | 'finishedAt' | 'version'>,
  options: JudgeOptions,
): Promise<VerificationReport> {
  const { comparisons, explained } = await judge(ports, rebuilt, options)
  return verificationReport(options.claims, { ...rebuilt, comparisons, explained, finishedAt: ports.now(), version: ports.version })
}
