import path from 'node:path'
import type { BuildManifest } from '../../../verifier/model/build-manifest.ts'
import { withPrefix } from '../../../verifier/model/digest.ts'
import { formatSize } from '../../config/size.ts'
import { visible } from '../visible.ts'
import { paint } from './paint.ts'

/** What was built, where it lies, and what to claim of it. */
export function buildLines(manifest: BuildManifest, options: { readonly color: boolean; readonly folder: string }): string[] {
  const brushes = paint(options.color)
  const verdict = manifest.verdict === 'built' ? brushes.good('built') : brushes.bad(manifest.verdict)
  const reasons = manifest.reasons.map((reason) => `  ${reason.code}: ${visible(reason.message)}`)
  if (manifest.verdict !== 'built') return [verdict, ...reasons]
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
