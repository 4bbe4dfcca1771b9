import path from 'node:path'
import { withPrefix } from '../../../verifier/model/digest.ts'
import { visible } from '../../../verifier/model/visible.ts'
import type { AttachReport } from '../../app/attach.ts'
import type { PullReport } from '../../app/pull.ts'
import type { PushReport } from '../../app/push-documents.ts'
import { formatSize } from '../../config/size.ts'
import { paint } from './paint.ts'

const VERDICTS: Readonly<Record<PushReport['verdict'], string>> = {
  pushed: 'pushed',
  present: 'present: everything was there already',
  planned: 'planned: nothing was sent or written',
}

/** Where the image is, what was sent of it, and what to go on with. */
export function pushLines(report: PushReport, options: { readonly color: boolean; readonly folder: string }): string[] {
  const { image, blobs, manifest, tags, files, composeHash } = report
  const at = (file: string): string => visible(path.join(options.folder, file))
  const moved = (from: string | null): string => (from === null ? '' : `, meant sha256:${from} before`)
  return [
    paint(options.color).good(VERDICTS[report.verdict]),
    `  image     ${visible(image.pinned)}`,
    ...blobs.map(({ kind, size, state }) => `  ${kind.padEnd(9)} ${state}, ${formatSize(size)}`),
    `  manifest  ${manifest}`,
    ...tags.map(({ tag, state, from }) => `  tag       ${visible(tag)}  ${state}${moved(from)}`),
    '',
    ...Object.values(files).map(at),
    `compose hash  ${withPrefix(composeHash)}`,
  ]
}

export function pullLines({ image, folder, layers, size }: PullReport): string[] {
  return [
    visible(folder),
    `  of      ${visible(image)}`,
    ...layers.map((layer) => `  layer   ${withPrefix(layer.sha256)}  ${formatSize(layer.size)}`),
    `  size    ${formatSize(size)}, every byte by its digest`,
  ]
}

const VIA: Readonly<Record<AttachReport['via'], string>> = {
  'referrers-api': "the registry's list of referrers",
  'fallback-tag': 'a tag sha256-…, since the registry keeps no list of referrers',
}

export function attachLines({ verdict, image, bundles, via }: AttachReport): string[] {
  return [
    verdict === 'attached' ? 'attached' : 'present: every bundle was attached already',
    `  to      ${visible(image)}`,
    ...bundles.map(({ sha256, predicateType, state }) => `  bundle  ${withPrefix(sha256)}  ${visible(predicateType)}  ${state}`),
    `  found by ${VIA[via]}`,
  ]
}
