import { closeSync, constants, copyFileSync, fstatSync, openSync, renameSync } from 'node:fs'
import type { Transformation } from '../model/comparison.ts'
import type { Sha256 } from '../model/digest.ts'
import type { TarLimits } from '../tar/limits.ts'
import { manifestPieces } from './canonical-manifest.ts'
import { canonicalOrder } from './canonical-order.ts'
import { writeCanonical } from './canonical-write.ts'
import { indexTar } from './tar-index.ts'

export type Digested = { readonly sha256: Sha256; readonly size: number }

export type CanonicalFacts = {
  /** The file as it came. */
  readonly written: Digested
  readonly canonical: Digested
  readonly entries: number
  /** What differs between the file and its canonical form; empty exactly where they are the same bytes. */
  readonly transformations: readonly Transformation[]
}

export type CanonicalJob = {
  readonly input: string
  /** Null where only the facts are wanted. */
  readonly output: string | null
  /** The input is nobody else's: where it is canonical already, it is moved to `output` and not copied. */
  readonly taken: boolean
  readonly limits: TarLimits
}

/**
 * Brings the tar file `input` to canonical form (docs/canonical-form.md) and writes it to `output`, where there is one. Synchronous, for
 * a thread of its own. Yields the tree manifest piece by piece, last. Throws `tar-…` failures where canonical form would hide something.
 */
export function* canonicalTar(o: CanonicalJob): Generator<Uint8Array<ArrayBuffer>, CanonicalFacts, void> {
  const input = openSync(o.input, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const { entries, written, encoded } = indexTar(input, o.limits)
    const { order, leaders, reordered, released } = canonicalOrder(entries)
    const members = { order, leaders, entries }
    const transformations: Transformation[] = []
    if (reordered) transformations.push('tar-member-order')
    if (released) transformations.push('hard-link-leader')
    if (!encoded) transformations.push('tar-encoding')
    const canonical = transformations.length === 0 ? asItIs(o, written) : rewrite(input, o.output, members)
    if (fstatSync(input).size !== written.size) throw new Error('the input changed while it was read')
    yield* manifestPieces(members)
    return { written, canonical, entries: entries.size, transformations }
  } finally {
    closeSync(input)
  }
}

function asItIs({ input, output, taken }: CanonicalJob, written: Digested): Digested {
  if (output === null) return written
  if (taken) renameSync(input, output)
  else copyFileSync(input, output, constants.COPYFILE_EXCL)
  return written
}

function rewrite(input: number, path: string | null, members: Parameters<typeof writeCanonical>[0]['members']): Digested {
  if (path === null) return writeCanonical({ members, input, output: null })
  const output = openSync(path, 'wx', 0o644)
  try {
    return writeCanonical({ members, input, output })
  } finally {
    closeSync(output)
  }
}
