import path from 'node:path'
import type { BuildManifest } from '../../../verifier/model/build-manifest.ts'
import { withPrefix } from '../../../verifier/model/digest.ts'
import { visible } from '../../../verifier/model/visible.ts'
import { addressOf } from '../../app/proof-question.ts'
import { formatSize } from '../../config/size.ts'
import type { LogTail } from '../log-tail.ts'
import { heardLogLines } from './log-tail.ts'
import { paint } from './paint.ts'
import { quoted } from './quoted.ts'

type BuildView = {
  readonly color: boolean
  readonly folder: string
  readonly tail: LogTail
  /** As it was typed. */
  readonly source: string
  /** How often it was built. */
  readonly attempts: number
}

const UNHEARD: ReadonlySet<BuildManifest['verdict']> = new Set(['nondeterministic', 'refused', 'cancelled'])

/** What was built, where it lies, and what to claim of it. */
export function buildLines(manifest: BuildManifest, options: BuildView): string[] {
  const brushes = paint(options.color)
  const verdict = manifest.verdict === 'built' ? brushes.good('built') : brushes.bad(manifest.verdict)
  const reasons = manifest.reasons.map((reason) => `  ${reason.code}: ${visible(reason.message)}`)
  if (manifest.verdict !== 'built') return [verdict, ...reasons, ...(UNHEARD.has(manifest.verdict) ? [] : heardLogLines(options.tail))]
  const at = (file: string): string => visible(path.join(options.folder, file))
  const artifacts = manifest.artifacts.flatMap((artifact) => [
    '',
    `${visible(artifact.name)}  ${formatSize(artifact.size)}`,
    ...(artifact.file === null ? [] : [`  file    ${at(artifact.file)}`]),
    ...(artifact.layout === null ? [] : [`  layout  ${at(artifact.layout)}`]),
    ...artifact.claims.map((claim) => `  claim   ${claim}`),
  ])
  const { lock } = manifest
  return [
    verdict,
    options.attempts === 1
      ? '  once: whether it gives the same bytes again is not shown'
      : `  ${options.attempts} times, the same bytes each time`,
    ...artifacts,
    ...(lock === null ? [] : ['', `lock    ${at(lock.file)}  ${withPrefix(lock.sha256)}`, `inputs  ${at(lock.inputs)}`]),
    '',
    'To have it verified, publish the source, the claim, the lock and the inputs. Whoever has them runs:',
    `  ${verifyCommand(manifest, options).map(quoted).join(' ')}`,
  ]
}

/** A repository by its commit, so that everybody takes the same; what lies on this machine as it was named here. */
function verifyCommand({ source, artifacts, lock }: BuildManifest, o: BuildView): string[] {
  const files = lock === null ? [] : ['--lock', path.join(o.folder, lock.file), '--inputs', path.join(o.folder, lock.inputs)]
  const claims = artifacts.flatMap((artifact) => artifact.claims).flatMap((claim) => ['--claim', claim])
  return ['bitwitness', 'verify', addressOf(source) ?? o.source, ...claims, ...files]
}
