import { withPrefix } from '../../../verifier/model/digest.ts'
import { visible } from '../../../verifier/model/visible.ts'
import type { SbomWritten } from '../../app/sbom.ts'

/** Where the bill lies, and how much of it the input lock vouches for. */
export function sbomLines({ file, sha256, image, packages }: SbomWritten): string[] {
  const { debian, unlocked, npm } = packages
  const vouched =
    unlocked === 0 ? 'each with the digest of the package file' : `${unlocked} of them not in the input lock, so without a digest`
  return [
    visible(file),
    `  of        ${visible(image.name)}  ${withPrefix(image.sha256)}`,
    `  document  ${withPrefix(sha256)}`,
    `  debian    ${debian}, ${vouched}`,
    `  npm       ${npm}, as their own package.json calls them`,
  ]
}
