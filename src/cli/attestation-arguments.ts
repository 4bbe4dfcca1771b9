import { KIND_NAMES } from '../../attestations/statement/predicate-types.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { parsePinnedReference } from '../../verifier/model/image-reference.ts'
import type { BundleSource } from '../app/verify-attestation.ts'

/** A kind by its short name, or any predicate type by its URI. */
export function predicateTypeOf(text: string): string {
  for (const [type, name] of KIND_NAMES) if (name === text) return type
  if (/^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]{1,2048}$/.test(text)) return text
  throw new Failure({
    code: 'predicate-type-malformed',
    message: 'not a kind of statement',
    hint: `give ${[...KIND_NAMES.values()].join(', ')}, or the URI of a predicate type`,
  })
}

/** Where bundles are, by the form of the word. A file whose name has the form of something else is given with `./` before it. */
export function bundleSourceOf(text: string): BundleSource {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return { kind: 'url', url: new URL(text) }
  if (/^[^\s@/.][^\s@]*@sha256:[0-9a-f]{64}$/.test(text)) return { kind: 'image', image: parsePinnedReference(text) }
  if (text.startsWith('sha256:'))
    throw new Failure({
      code: 'bundle-source-malformed',
      message: 'a digest alone does not say where its attestations are',
      hint: 'give the file, IMAGE@sha256:… or URL that has them, and the digest by --digest',
    })
  return { kind: 'file', path: text }
}

/** `90s`, `30m`, `24h`, `7d`, or seconds. */
export function parseAge(text: string): number {
  const match = /^([1-9]\d{0,8})([smhd]?)$/.exec(text)
  if (match !== null) return Number(match[1]) * ({ m: 60, h: 3600, d: 86_400 }[match[2] ?? ''] ?? 1)
  throw new Failure({ code: 'policy-age-malformed', message: 'the age is none', hint: 'write it as 90s, 30m, 24h or 7d' })
}

export function parseCount(text: string): number {
  if (/^\d{1,2}$/.test(text)) return Number(text)
  throw new Failure({
    code: 'policy-threshold-malformed',
    message: 'a number of witnesses is none',
    hint: 'give a whole number, such as 1',
  })
}
