import { z } from 'zod'
import { Failure } from './failure.ts'

/** A SHA-256 as 64 lower-case hexadecimal digits, without prefix. */
export const Sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .brand<'Sha256'>()
export type Sha256 = z.infer<typeof Sha256>

/** Reads `sha256:<hex>` or bare hex. Digits are taken as they are: upper case is refused, never folded. */
export function parseSha256(text: string): Sha256 {
  const bare = text.startsWith('sha256:') ? text.slice('sha256:'.length) : text
  const parsed = Sha256.safeParse(bare)
  if (parsed.success) return parsed.data
  throw new Failure({
    code: 'digest-malformed',
    message: 'not a sha256 digest',
    hint: 'give sha256: and 64 lower-case hexadecimal digits, as sha256sum prints them',
  })
}

export function withPrefix(digest: Sha256): string {
  return `sha256:${digest}`
}
