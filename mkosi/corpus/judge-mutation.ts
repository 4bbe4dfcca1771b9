import type { Mutation } from '../../verifier/compare/testing/mutations.ts'
import type { Explanation } from '../../verifier/model/explanation.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import { escapeBytes } from '../../verifier/model/tree-manifest.ts'

/** What a verification had to say of an archive that was changed in one place. */
export type MutationJudgement = {
  /** Called reproduced what is another tree or hides something, or called bit-exact at all. */
  readonly falseAccept: boolean
  /** What was changed and is not named: paths, transformations, or the member that hides something. */
  readonly unnamed: readonly string[]
  readonly complaints: readonly string[]
}

export type Seen = {
  readonly mutation: Mutation
  readonly report: VerificationReport
  readonly explanation: Explanation | null
  /** Where the mutated archive parts from the original. */
  readonly firstDifference: number
  /** Where the original's members begin, and last where its end marker does; rising. */
  readonly starts: readonly number[]
}

/** Holds a verification's report against the mutation that it is about: pure. */
export function judgeMutation(seen: Seen): MutationJudgement {
  const { verdict, tier } = seen.report
  const { expected } = seen.mutation
  const accepted = verdict === 'reproduced'
  const said = `${verdict}${tier === null ? '' : ` (${tier})`}`
  const wanted = expected === 'equal' ? 'reproduced (content-equal)' : 'mismatch'
  const result = { equal: 'equal', different: 'different', refused: 'not-comparable' }[expected]
  const results = seen.report.comparisons.filter(({ claim }) => claim !== null).map((one) => one.result)
  return {
    falseAccept: accepted && (tier === 'bit-exact' || expected !== 'equal'),
    unnamed: unnamed(seen),
    complaints: [
      ...(said === wanted ? [] : [`${said} instead of ${wanted}`]),
      ...(results.length > 0 && results.every((one) => one === result) ? [] : [`${results.join(', ')} instead of ${result}`]),
      ...changedPaths(seen)
        .filter((path) => !expectedPaths(seen).includes(path))
        .map((path) => `${path} is named and was not changed`),
    ],
  }
}

function unnamed(seen: Seen): string[] {
  const { mutation, report } = seen
  if (mutation.expected === 'refused') return refusals(report).every((byte) => sameMember(byte, seen)) ? [] : ['the member that was changed']
  if (mutation.expected === 'different') return expectedPaths(seen).filter((path) => !changedPaths(seen).includes(path))
  const undone = report.comparisons.flatMap(({ transformations }) => transformations)
  const rules = report.findings.map(({ rule }) => RULES[rule] ?? rule)
  return mutation.undone.filter((one) => !undone.includes(one) || !rules.includes(one))
}

/** Rules of explain that are named otherwise than the transformation that they speak of. */
const RULES: Readonly<Record<string, string>> = { 'member-order': 'tar-member-order' }

function expectedPaths({ mutation }: Seen): string[] {
  return mutation.paths.map((path) => escapeBytes(Buffer.from(path, 'latin1')))
}

function changedPaths({ explanation }: Seen): string[] {
  return (explanation?.changes ?? []).map(({ path }) => path)
}

/** The byte that each refusal names; NaN for one that names none. */
function refusals(report: VerificationReport): number[] {
  const reasons = report.comparisons.filter(({ claim }) => claim !== null).map(({ reason }) => reason ?? '')
  return reasons.map((reason) => Number(/^tar-[a-z-]+: .*at byte ([0-9]+)\)$/s.exec(reason)?.[1] ?? Number.NaN))
}

function sameMember(byte: number, { firstDifference, starts }: Seen): boolean {
  const memberAt = (offset: number): number => starts.findLastIndex((start) => start <= offset)
  return memberAt(byte) !== -1 && memberAt(byte) === memberAt(firstDifference)
}
