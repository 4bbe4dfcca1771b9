import { code, table } from '../src/cli/render/markdown.ts'
import type { Attempt } from '../verifier/model/attempt.ts'
import type { VerificationReport } from '../verifier/model/report.ts'
import type { BuiltHere } from './build-here.ts'
import type { RebuiltThere } from './rebuild-there.ts'

export type Summary = {
  readonly recipe: string
  readonly built: BuiltHere | null
  readonly rebuilt: RebuiltThere | null
  /** Addresses at the service; of the verification. */
  readonly links: { readonly verification: string } | null
  /** Markdown of `bitwitness changes`; or why there is none. */
  readonly changes: readonly string[] | { readonly why: string }
}

const HASH = (sha256: string): string => code(`sha256:${sha256}`)

/** The summary of a job, as Markdown. Every text that an image, a recipe or a service brings is a code span. */
export function summaryLines(summary: Summary): string[] {
  const { built, rebuilt, links, changes } = summary
  return [
    heading(summary),
    ...(rebuilt?.submission === null || rebuilt === null ? [] : verdictLines(rebuilt, links)),
    ...(rebuilt === null && built?.manifest?.verdict === 'built' ? ['', 'Built here. No service was asked to rebuild it.'] : []),
    ...(built === null ? [] : builtLines(built)),
    ...('why' in changes ? ['', `### What changed`, '', `Not compared: ${changes.why}.`] : ['', ...changes]),
    '',
  ]
}

function heading({ recipe, built, rebuilt }: Summary): string {
  const verdict = rebuilt === null ? built?.manifest?.verdict : rebuilt.submission?.verdict
  const tier = rebuilt?.submission?.tier ?? null
  return `## Bitwitness: ${verdict ?? 'no verdict'}${tier === null ? '' : ` (${tier})`}, ${code(recipe)}`
}

function verdictLines({ submission, bundles }: RebuiltThere, links: Summary['links']): string[] {
  if (submission === null) return []
  const { verification, report, notice } = submission
  return [
    ...verification.reasons.flatMap(({ code: reason, message }) => ['', `- ${code(reason)}: ${code(message)}`]),
    // What its owner should know while there is no verdict, such as that no worker is there.
    ...(notice === null || submission.verdict !== null ? [] : ['', code(notice)]),
    ...(links === null ? [] : ['', `[The verification](${links.verification})`]),
    ...(report === null ? [] : reportLines(report)),
    ...(bundles.length === 0
      ? ['', 'Nothing of it is signed yet.']
      : ['', '### Signed', '', ...bundles.map(({ predicateType, url }) => `- ${code(predicateType)}: [bundle](${url})`)]),
  ]
}

function reportLines(report: VerificationReport): string[] {
  const { source, builder, lock, claims, attempts, comparisons, findings, recipeFindings } = report
  const where = source.kind === 'git' ? [['Source', code(source.url)], ['Commit', code(source.commit)]] : [['Source', code(source.name)]] // biome-ignore format: one a line
  const facts = [
    ...where,
    ['Tree', HASH(source.treeDigest)],
    ['Builder', builder === null ? '' : `${HASH(builder.digest)}, mkosi ${code(builder.mkosi)}`],
    ['Lock', lock === null ? '' : HASH(lock)],
  ]
  const claimRows = claims.map(({ kind, sha256 }, index) => {
    const held = comparisons.filter(({ claim }) => claim === index)
    return [kind, HASH(sha256), held.map(({ left, right, result }) => `${left.attempt ?? right?.attempt ?? ''}: ${result}`).join(', ')]
  })
  return [
    ...table(['', ''], facts),
    '',
    '### Claims',
    ...table(['Kind', 'Digest', 'Attempts'], claimRows),
    ...(attempts.length === 0 ? [] : ['', '### Attempts']),
    ...table(['', 'Mode', 'Outcome', 'Built', 'Time'], attempts.map(attemptRow)),
    ...findingLines([...findings, ...recipeFindings.filter(({ severity }) => severity === 'refuse')]),
  ]
}

function attemptRow({ number, mode, outcome, reason, retried, artifacts, stages }: Attempt): string[] {
  const again = retried.length === 0 ? '' : `, tried ${retried.length + 1} times`
  const seconds = Math.round(stages.reduce((sum, { ms }) => sum + ms, 0) / 1000)
  const built = artifacts.map(({ sha256 }) => HASH(sha256)).join(' ')
  return [String(number), mode, `${outcome}${reason === null ? '' : ` ${code(reason.code)}`}${again}`, built, `${seconds} s`]
}

/** Of one report: a summary that nobody can read says nothing. */
const MOST_FINDINGS = 20

function findingLines(findings: VerificationReport['findings']): string[] {
  if (findings.length === 0) return []
  const more = findings.length - MOST_FINDINGS
  const lines = findings
    .slice(0, MOST_FINDINGS)
    .map(
      ({ rule, path, message, remedy }) =>
        `- ${code(rule)}${path === null ? '' : ` ${code(path)}`}: ${code(message)} *Remedy:* ${code(remedy)}`,
    )
  return ['', '### Findings', '', ...lines, ...(more > 0 ? ['', `… and ${more} more`] : [])]
}

function builtLines({ manifest, sbom }: BuiltHere): string[] {
  if (manifest === null) return ['', 'The build failed; the log says why.']
  const rows = manifest.artifacts.map(({ name, size, sha256, oci }) => [
    code(name),
    `${(size / 2 ** 20).toFixed(1)} MiB`,
    HASH(sha256),
    oci === null ? '' : HASH(oci.manifest),
  ])
  return [
    ...manifest.reasons.flatMap(({ code: reason, message }) => ['', `- ${code(reason)}: ${code(message)}`]),
    ...(rows.length === 0 ? [] : ['', '### Built here', ...table(['Artifact', 'Size', 'Digest', 'Image'], rows)]),
    ...(sbom === null ? [] : ['', '### Bill of materials', '', ...billLines(sbom.packages)]),
  ]
}

function billLines({ debian, unlocked, npm }: NonNullable<BuiltHere['sbom']>['packages']): string[] {
  const locked = unlocked === 0 ? 'all of them in the input lock' : `${unlocked} of them not in the input lock`
  return [`- ${debian} packages of Debian, ${locked}`, `- ${npm} packages of npm`]
}
