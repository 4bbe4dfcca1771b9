import type { z } from 'zod'
import { Failure } from '../../verifier/model/failure.ts'
import { PREDICATE_TYPE } from './predicate-types.ts'
import { ProvenancePredicate } from './provenance-predicate.ts'
import { RebuildResultPredicate } from './rebuild-result-predicate.ts'
import { ReproducedPredicate } from './reproduced-predicate.ts'
import type { Statement } from './statement.ts'
import { VsaPredicate } from './vsa-predicate.ts'

/** Schemas of the predicates that we write, by type. An SBOM's is CycloneDX's own. */
export const PREDICATES = {
  [PREDICATE_TYPE.reproduced]: ReproducedPredicate,
  [PREDICATE_TYPE.rebuildResult]: RebuildResultPredicate,
  [PREDICATE_TYPE.provenance]: ProvenancePredicate,
  [PREDICATE_TYPE.vsa]: VsaPredicate,
} as const
type PredicateType = keyof typeof PREDICATES

/**
 * Reads the predicate of a statement that has to be of one type. Failures: `predicate-type-wrong`, and `predicate-malformed` where it is
 * not as we write it: somebody else's provenance, for one.
 */
export function readPredicate<T extends PredicateType>(statement: Statement, type: T): z.infer<(typeof PREDICATES)[T]> {
  if (statement.predicateType !== type)
    throw new Failure({
      code: 'predicate-type-wrong',
      message: `the statement is of another predicate type than ${type}`,
      hint: 'ask for the statement of that type',
    })
  return checkedPredicate(type, statement.predicate)
}

export function checkedPredicate<T extends PredicateType>(type: T, predicate: unknown): z.infer<(typeof PREDICATES)[T]> {
  const parsed = PREDICATES[type].safeParse(predicate)
  if (parsed.success) return parsed.data as z.infer<(typeof PREDICATES)[T]>
  throw new Failure({
    code: 'predicate-malformed',
    message: `the predicate is not what Bitwitness writes for ${type}`,
    hint: 'its form is in schemas/; a newer one may need a newer Bitwitness',
  })
}

export function isPredicateType(type: string): type is PredicateType {
  return Object.hasOwn(PREDICATES, type)
}
