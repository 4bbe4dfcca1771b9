import { z } from 'zod'
import { parseSha256, Sha256 } from './digest.ts'
import { Failure } from './failure.ts'

/**
 * What a claimed digest is of: `file` the uncompressed artifact, `oci-manifest` the image manifest that is packed from it,
 * `dstack-os-image` the sha256 of `sha256sum.txt`.
 */
export const ClaimKind = z.enum(['file', 'oci-manifest', 'dstack-os-image'])
export type ClaimKind = z.infer<typeof ClaimKind>

/** What the publisher says the recipe yields. `name` picks one of several artifacts; null fits any. */
export const Claim = z.strictObject({
  kind: ClaimKind,
  name: z.string().min(1).max(255).nullable(),
  sha256: Sha256,
  /** Where the claimed bytes can be had to explain a difference; never opened inside a builder. */
  location: z.string().max(4096).nullable(),
})
export type Claim = z.infer<typeof Claim>

/** Reads the command line's `[KIND=]sha256:…`; the kind defaults to `file`. */
export function parseClaim(text: string): Claim {
  const [left, right] = text.includes('=') ? [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)] : ['file', text]
  const kind = ClaimKind.safeParse(left)
  if (!kind.success)
    throw new Failure({
      code: 'claim-kind-unknown',
      message: 'unknown kind of claim',
      hint: `write [KIND=]sha256:… with one of ${ClaimKind.options.join(', ')}`,
    })
  return { kind: kind.data, name: null, sha256: parseSha256(right), location: null }
}
