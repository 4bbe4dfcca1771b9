/** One element of DER (X.690 §8.1): its tag, its bytes from the tag on, and what is in it. */
export type DerElement = { readonly tag: number; readonly whole: Buffer; readonly content: Buffer }

export const TAG = { integer: 0x02, bits: 0x03, utcTime: 0x17, generalTime: 0x18, sequence: 0x30 } as const

/** What stands in bytes, one after another, at the outermost depth and no deeper; undefined where they are anything else. A pure function. */
export function derElements(der: Buffer): readonly DerElement[] | undefined {
  const found: DerElement[] = []
  for (let at = 0; at < der.length; ) {
    const one = elementAt(der, at)
    if (one === undefined) return undefined
    found.push(one)
    at += one.whole.length
  }
  return found
}

/** What stands in a SEQUENCE; undefined where the element is none. A pure function. */
export function inSequence(element: DerElement | undefined): readonly DerElement[] | undefined {
  return element?.tag === TAG.sequence ? derElements(element.content) : undefined
}

function elementAt(der: Buffer, at: number): DerElement | undefined {
  const [tag, first] = [der[at], der[at + 1]]
  if (tag === undefined || first === undefined) return undefined
  const count = first < 0x80 ? 0 : first & 0x7f
  // Up to 16 MiB, which is more than is ever read; tags of several bytes are in nothing that is read here.
  if (count > 3 || first === 0x80 || (tag & 0x1f) === 0x1f || at + 2 + count > der.length) return undefined
  const begin = at + 2 + count
  const end = begin + (count === 0 ? first : der.readUIntBE(at + 2, count))
  return end > der.length ? undefined : { tag, whole: der.subarray(at, end), content: der.subarray(begin, end) }
}
