import path from 'node:path'
import type { BuildManifest } from '../../../verifier/model/build-manifest.ts'
import { withPrefix } from '../../../verifier/model/digest.ts'
import { formatSize } from '../../config/size.ts'
import type { LogTail } from '../log-tail.ts'
import { visible } from '../visible.ts'
import { heardLogLines } from './log-tail.ts'
import { paint } from './paint.ts'

type BuildView = { readonly color: boolean; readonly folder: string; readonly tail: LogTail }

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
    ...artifacts,
    ...(lock === null ? [] : ['', `lock    ${at(lock.file)}  ${withPrefix(lock.sha256)}`, `inputs  ${at(lock.inputs)}`]),
    '',
    'To have it verified, publish the source, the claim, the lock and the inputs.',
  ]
}
