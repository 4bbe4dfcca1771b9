import { z } from 'zod'
import { BuilderImage } from '../../../../verifier/builder/image-description.ts'
import { withPrefix } from '../../../../verifier/model/digest.ts'
import { formatSize } from '../../../config/size.ts'

/** Builders that this machine knows, the newest first. */
export const BuilderList = z.strictObject({ schema: z.literal('bitwitness/builder-list/v1'), builders: z.array(BuilderImage) })

export function builderLines(builder: BuilderImage): string[] {
  return [
    withPrefix(builder.digest),
    `  mkosi ${builder.mkosi}, ${builder.suite}, ${builder.architecture}, ${builder.packages.length} package${builder.packages.length === 1 ? '' : 's'}, layer ${formatSize(builder.layer.size)}`,
    `  manifest  ${withPrefix(builder.manifest)}`,
    `  lock      ${withPrefix(builder.lock)}`,
  ]
}
