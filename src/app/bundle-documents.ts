import { Failure } from '../../verifier/model/failure.ts'

/** Anybody may attach to an image or serve a list: so many are looked at. */
export const MAX_BUNDLES = 100

/**
 * The bundles in a document: one bundle, or several, each on a line of its own. What is no bundle is one all the same, and the verifier
 * says what is wrong with it. Fails with `bundles-too-many`.
 */
export function bundlesInDocument(bytes: Uint8Array): readonly Uint8Array[] {
  const text = Buffer.from(bytes).toString('utf8')
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  // Printed with line breaks, one bundle has lines that are none.
  if (lines.length <= 1 || !lines.every((line) => /^\s*\{.*\}\s*$/.test(line))) return [bytes]
  if (lines.length <= MAX_BUNDLES) return lines.map((line) => Buffer.from(line))
  throw new Failure({
    code: 'bundles-too-many',
    message: 'there are more bundles than are looked at',
    hint: `give up to ${MAX_BUNDLES} of them`,
  })
}
