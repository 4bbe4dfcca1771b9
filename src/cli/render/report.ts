import type { Attempt } from '../../../verifier/model/attempt.ts'
import type { Claim } from '../../../verifier/model/claim.ts'
import type { Comparison } from '../../../verifier/model/comparison.ts'
import { type Sha256, withPrefix } from '../../../verifier/model/digest.ts'
import type { CheckReport, VerificationReport } from '../../../verifier/model/report.ts'
import { visible } from '../../../verifier/model/visible.ts'
import { formatSize } from '../../config/size.ts'
import { mirrorSetting } from '../error-document.ts'
import type { LogTail } from '../log-tail.ts'
import { seconds } from '../progress.ts'
import { findingLines } from './findings.ts'
import { failedLogLines } from './log-tail.ts'
import { notCheckedLines } from './not-checked.ts'
import { type Paint, paint } from './paint.ts'
import { sentenceOf } from './sentence.ts'

type Report = VerificationReport | CheckReport

type ReportView = {
  readonly color: boolean
  /** What the attempts wrote last, where it was heard. */
  readonly tail?: LogTail
  /** Whether somebody said where the claimed bytes are. */
  readonly claimed?: boolean
}

/** A report for people, the verdict first. */
export function reportLines(report: Report, options: ReportView): string[] {
  const brushes = paint(options.color)
  const claims = 'claims' in report ? report.claims : []
  const findings = [...report.recipeFindings, ...report.findings]
  return [
    verdictLine(report, brushes),
    `  ${sentenceOf(report)}`,
    ...report.reasons.flatMap(reasonLines),
    '',
    ...factLines(report),
    ...section('claims', [...claimLines(claims, report.comparisons), ...(options.claimed === false ? adviceLines(report) : [])]),
    ...section('attempts', attemptLines(report.attempts, report.comparisons)),
    ...(options.tail === undefined ? [] : failedLogLines(report.attempts, options.tail)),
    ...section('findings', findingLines(findings, brushes)),
    ...section(
      'not checked',
      notCheckedLines(report).map((line) => `  ${line}`),
    ),
  ]
}

function reasonLines({ code, message }: Report['reasons'][number]): string[] {
  const setting = mirrorSetting(message)
  return [`  ${code}: ${visible(message)}`, ...(setting === null ? [] : [`    ${setting}`])]
}

/** A digest alone may be of the same image, compressed or packed otherwise: only its bytes tell. */
function adviceLines(report: Report): string[] {
  const claims = 'claims' in report && report.verdict === 'mismatch' ? report.claims : []
  return claims.some(({ kind }) => kind === 'file')
    ? ['  a claim is on the uncompressed file; with --claimed FILE or URL the claimed bytes are uncompressed, compared and explained']
    : []
}

function verdictLine(report: Report, brushes: Paint): string {
  const tier = 'tier' in report && report.tier !== null ? ` (${report.tier})` : ''
  switch (report.verdict) {
    case 'reproduced':
    case 'repeatable':
      return brushes.good(`${report.verdict}${tier}`)
    case 'undecided':
      return brushes.unsure(report.verdict)
    case null:
      return brushes.unsure('cancelled')
    case 'mismatch':
    case 'nondeterministic':
    case 'build-failed':
    case 'refused':
      return brushes.bad(report.verdict)
  }
}

function factLines(report: Report): string[] {
  const { source, builder, lock, indexes } = report
  const facts: [string, string][] = [
    ['source', visible(source.kind === 'git' ? source.url : source.name)],
    [
      '',
      source.kind === 'git'
        ? `commit ${source.commit}${source.ref === null ? '' : `, ${visible(source.ref)}`}`
        : digestOr(source.sha256, 'a folder'),
    ],
    ['', `recipe ${visible(source.path)}, tree ${withPrefix(source.treeDigest)}`],
    ['architecture', visible(report.architecture)],
    ['builder', builder === null ? 'none' : `${withPrefix(builder.digest)}, mkosi ${visible(builder.mkosi)}`],
    ['lock', digestOr(lock, 'none')],
    ...indexes.map(({ archive, suite, date }): [string, string] => [
      '',
      `signed index ${visible(archive)} ${visible(suite)} of ${visible(date)}`,
    ]),
  ]
  return facts.map(([name, value]) => `${name.padEnd(13)}${value}`)
}

function digestOr(digest: Sha256 | null, otherwise: string): string {
  return digest === null ? otherwise : withPrefix(digest)
}

function claimLines(claims: readonly Claim[], comparisons: readonly Comparison[]): string[] {
  return claims.flatMap((claim, index) => [
    `  ${claim.kind} ${withPrefix(claim.sha256)}${claim.name === null ? '' : ` for ${visible(claim.name)}`}`,
    ...comparisons
      .filter((one) => one.claim === index)
      .map(
        (one) =>
          `    attempt ${one.left.attempt}: ${resultOf(one)}${one.result === 'different' ? `, it built ${withPrefix(one.left.sha256)}` : ''}`,
      ),
  ])
}

function attemptLines(attempts: readonly Attempt[], comparisons: readonly Comparison[]): string[] {
  return [
    ...attempts.flatMap((attempt) => [
      `  ${attempt.number}  ${attempt.mode.padEnd(6)}  ${outcomeOf(attempt)} in ${seconds(attempt.stages.reduce((sum, stage) => sum + stage.ms, 0))}`,
      ...attempt.retried.map((reason) => `       tried again after ${reason.code}: ${visible(reason.message)}`),
      ...attempt.artifacts.map(
        (artifact) => `       ${visible(artifact.name)}  ${withPrefix(artifact.sha256)}  ${formatSize(artifact.size)}`,
      ),
    ]),
    ...comparisons
      .filter((one) => one.claim === null)
      .map((one) => `  ${one.left.attempt} and ${one.right?.attempt ?? '?'}: ${visible(one.left.artifact ?? 'artifact')} ${resultOf(one)}`),
  ]
}

function outcomeOf(attempt: Attempt): string {
  const limit = attempt.limit === null ? '' : ` (${attempt.limit})`
  return `${attempt.outcome}${limit}`
}

function resultOf(comparison: Comparison): string {
  const transformations = comparison.transformations.length === 0 ? '' : ` after ${comparison.transformations.join(', ')}`
  const reason = comparison.reason === null ? '' : `: ${visible(comparison.reason)}`
  return `${comparison.result}${comparison.tier === null ? '' : `, ${comparison.tier}`}${transformations}${reason}`
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines]
}
