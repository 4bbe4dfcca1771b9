import { checkReport } from '../../verifier/attempt/report.ts'
import type { CheckReport } from '../../verifier/model/report.ts'
import { judge } from './judge.ts'
import type { Ports } from './ports.ts'
import { type RebuildCommand, rebuild } from './rebuild.ts'

/** Builds a source several times and says whether the bits repeat, without a claim: for publishers. */
export async function check(ports: Ports, command: RebuildCommand): Promise<CheckReport> {
  await using scratch = await ports.scratch()
  const rebuilt = await rebuild(ports, command, scratch.path)
  const { comparisons, explained } = await judge(ports, rebuilt, { ...command, claims: [], claimed: null, scratch: scratch.path })
  return checkReport({ ...rebuilt, comparisons, explained, finishedAt: ports.now(), version: ports.version })
}
