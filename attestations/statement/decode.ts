import { Failure } from '../../verifier/model/failure.ts'
import { parseStrictJson } from '../../verifier/model/strict-json.ts'
import { STATEMENT_TYPE } from './predicate-types.ts'
import { Statement } from './statement.ts'

/**
 * Reads a statement that anybody may have made. The predicate is an object and nothing more is said of it: `readPredicate` reads it.
 * Failures: `json-…`, `statement-type-unknown`, `statement-subject-missing`, `statement-subject-digest`, `statement-malformed`.
 */
export function decodeStatement(bytes: Uint8Array): Statement<Readonly<Record<string, unknown>>> {
  const value = parseStrictJson(bytes)
  if (!isObject(value)) throw malformed()
  if (value['_type'] !== STATEMENT_TYPE)
    throw new Failure({
      code: 'statement-type-unknown',
      message: 'the statement is not of in-toto Statement v1',
      hint: 'only version 1 of the statement is read: ask its maker for one',
    })
  checkSubjects(value['subject'])
  const parsed = Statement.safeParse(value)
  if (!parsed.success) throw malformed()
  return parsed.data
}

/** The commonest badness gets a code of its own; the schema refuses the rest. */
function checkSubjects(subjects: unknown): void {
  if (!Array.isArray(subjects) || subjects.length === 0)
    throw new Failure({
      code: 'statement-subject-missing',
      message: 'the statement is about nothing: it has no subject',
      hint: 'do not rely on it',
    })
  for (const subject of subjects as unknown[]) {
    const digest = isObject(subject) ? subject['digest'] : undefined
    if (!isObject(digest) || Object.keys(digest).length !== 1 || typeof digest['sha256'] !== 'string')
      throw new Failure({
        code: 'statement-subject-digest',
        message: 'a subject of the statement has no sha256, or another digest beside it',
        hint: 'do not rely on it: tools that take a match by any digest would read it in another way',
      })
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function malformed(): Failure {
  return new Failure({
    code: 'statement-malformed',
    message: 'the statement has not the form of in-toto Statement v1, or has more in it than that',
    hint: 'take it again from who made it',
  })
}
