import { Failure } from '../../verifier/model/failure.ts'
import { checkedPredicate, isPredicateType } from './predicates.ts'
import { Statement } from './statement.ts'

/**
 * The bytes of a statement, as they are signed: JSON in UTF-8 without white space, keys in the order of the schemas; in a predicate that
 * has no schema here (an SBOM) keys are sorted. Equal statements give equal bytes. Failures: `statement-malformed`, `predicate-malformed`.
 */
export function encodeStatement(statement: Statement): Uint8Array {
  const parsed = Statement.safeParse(statement)
  if (!parsed.success)
    throw new Failure({
      code: 'statement-malformed',
      message: 'what is to be signed has not the form of in-toto Statement v1, or has more in it than that',
      hint: 'look for a name, a time or a URI in the report that is none',
    })
  const { predicateType, predicate } = parsed.data
  const ordered = isPredicateType(predicateType) ? checkedPredicate(predicateType, predicate) : sorted(predicate)
  return new TextEncoder().encode(JSON.stringify({ ...parsed.data, predicate: ordered }))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]): [string, unknown] => [key, sorted(inner)]))
}
