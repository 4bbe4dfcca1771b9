/** Of one element within another, as deep as the parser goes. */
const MAX_DEPTH = 100

/** Certificates and timestamps have some hundred elements. */
const MAX_ELEMENTS = 4096

/**
 * Whether Sigstore's parser of ASN.1 (`@sigstore/core`) is done with bytes in a few thousand steps. It takes what is in an OCTET STRING for
 * elements until that fails, and holds none of them to the end of what they stand in: elements that overlap are then read again and again, so
 * that a few hundred bytes keep it busy for longer than anybody lives. This walks as it does, and stops counting early. Bytes that are no
 * ASN.1 at all are soon parsed.
 */
export function isSoonParsed(bytes: Uint8Array): boolean {
  const steps = { left: MAX_ELEMENTS }
  walk({ bytes, steps }, 0, 0)
  return steps.left > 0
}

type Walk = { readonly bytes: Uint8Array; readonly steps: { left: number } }

/** Where the element at `at` ends, as the parser sees it; undefined where it gives up. */
function walk(walked: Walk, at: number, depth: number): number | undefined {
  walked.steps.left -= 1
  const tag = walked.bytes[at]
  const content = tag === undefined || walked.steps.left <= 0 || depth > MAX_DEPTH ? undefined : contentAt(walked.bytes, at + 1)
  if (content === undefined || content.end > walked.bytes.length) return undefined
  const constructed = ((tag ?? 0) & 0x20) !== 0
  if (!constructed && tag !== 0x04) return content.end
  const inner = children(walked, content, depth + 1)
  return inner || !constructed ? content.end : undefined
}

function children(walked: Walk, { start, end }: { readonly start: number; readonly end: number }, depth: number): boolean {
  let at: number | undefined = start
  while (at !== undefined && at < end) at = walk(walked, at, depth)
  return at === end
}

/** By the length that begins at `at`: X.690 §8.1.3, in the forms that the parser takes. */
function contentAt(bytes: Uint8Array, at: number): { readonly start: number; readonly end: number } | undefined {
  const first = bytes[at]
  if (first === undefined) return undefined
  const count = first < 0x80 ? 0 : first & 0x7f
  if (count > 6) return undefined
  const length = count === 0 ? first & 0x7f : bytes.subarray(at + 1, at + 1 + count).reduce((sum, byte) => sum * 256 + byte, 0)
  const start = at + 1 + count
  return { start, end: start + length }
}
