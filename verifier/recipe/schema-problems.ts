import type { z } from 'zod'
import { shownName } from '../model/shown-name.ts'

type Issue = z.core.$ZodIssue
export type SchemaProblem = {
  readonly path: readonly PropertyKey[]
  /** The key that is not known, where that is the matter. */
  readonly key: string | null
  readonly message: string
}

/**
 * To be given to `safeParse` as `error`: says what a schema expects, as words that follow "has to be". A message that a schema has of its own
 * goes before it, and has to read in the same way. Empty where nothing is known.
 */
export const expectation: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'invalid_type') return KINDS[issue.expected] ?? ''
  if (issue.code === 'invalid_value') return oneOf(issue.values)
  if (issue.code === 'too_small') return bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum)
  if (issue.code === 'too_big') return bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum)
  if (issue.code === 'invalid_format') return form(issue)
  return issue.code === 'invalid_union' && Array.isArray(issue.options) ? oneOf(issue.options) : ''
}

/**
 * What is the matter with `value`, as the issues of a schema say it that was asked with `expectation`: the path, what is there as a kind, and
 * what has to be. Of the value nothing is repeated but its keys, escaped.
 */
export function schemaProblems(issues: readonly Issue[], value: unknown): readonly SchemaProblem[] {
  return issues.flatMap((issue) => problemsOf(issue, issue.path, value))
}

function problemsOf(issue: Issue, path: readonly PropertyKey[], value: unknown): readonly SchemaProblem[] {
  const at = path.map(segment).join('.') || 'the document'
  const there = path.reduce<unknown>(within, value)
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path, key, message: `${at} has a key that is not known: ${shownName(key)}` }))
  if (issue.code === 'invalid_key')
    return [{ path, key: null, message: `${at} is no key that can stand there: it ${hasToBe(issue.issues[0]?.message ?? '')}` }]
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ path, key: null, message: `${at} ${said(issue, there)}` }]
  const meant = nearest(issue.errors)
  if (meant !== undefined) return meant.flatMap((inner) => problemsOf(inner, [...path, ...inner.path], value))
  const either = [...new Set(issue.errors.flatMap(([first]) => (first === undefined || first.message === '' ? [] : [first.message])))]
  return [{ path, key: null, message: `${at} ${there === undefined ? 'is missing, and ' : ''}${hasToBe(either.join(' or '))}` }]
}

/** Of several forms the one that was meant, as far as can be told: of the right kind, with the fewest mistakes. */
function nearest(forms: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const mistakes = (issues: readonly Issue[]): number =>
    issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0)
  return forms
    .filter((issues) => !issues.some(({ code, path }) => path.length === 0 && (code === 'invalid_type' || code === 'invalid_value')))
    .toSorted((a, b) => mistakes(a) - mistakes(b))[0]
}

function said({ code, message }: Issue, there: unknown): string {
  const found = there === undefined ? 'is missing' : isEmpty(there) || code === 'invalid_type' ? `is ${kindOf(there)}` : null
  if (message === '') return found !== null && code !== 'invalid_type' ? found : 'is not what it should be'
  return found === null ? hasToBe(message) : `${found}, and ${hasToBe(message)}`
}

function hasToBe(expected: string): string {
  return expected === '' ? 'is not what it should be' : `has to be ${expected}`
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  null: 'null',
  array: 'a list',
  object: 'a map',
  record: 'a map',
}

function kindOf(there: unknown): string {
  if (there === null) return 'empty'
  if (Array.isArray(there)) return there.length === 0 ? 'an empty list' : 'a list'
  if (typeof there === 'object') return isEmpty(there) ? 'an empty map' : 'a map'
  if (there === '') return 'an empty text'
  if (typeof there === 'number')
    return Number.isInteger(there) ? 'a whole number' : Number.isFinite(there) ? 'a number' : 'no finite number'
  return KINDS[typeof there] ?? 'something else'
}

function isEmpty(there: unknown): boolean {
  return there === '' || there === null || (typeof there === 'object' && Object.keys(there).length === 0)
}

function oneOf(values: readonly unknown[]): string {
  return `${values.length > 1 ? 'one of ' : ''}${values.map((value) => `\`${String(value)}\``).join(', ')}`
}

function bound(origin: string, how: string, number: number | bigint): string {
  if (origin === 'array') return `a list of ${how} ${number}`
  if (origin === 'string') return `a text of ${how} ${number} ${number === 1 ? 'character' : 'characters'}`
  return `${how} ${number}`
}

/** Of forms, only hex of a fixed length and a fixed beginning can be said in words that a reader needs no pattern for. */
function form(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidStringFormat>): string {
  const { prefix, pattern } = issue
  if (issue.format === 'starts_with' && typeof prefix === 'string') return `a text that begins with \`${prefix}\``
  const digits = /\[0-9a-f\]\{(\d+)\}\$\/?$/.exec(String(pattern ?? ''))?.[1]
  return digits === undefined ? '' : `${digits} hex digits in small letters`
}

function within(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
}

function segment(key: PropertyKey): string {
  const text = String(key)
  return /^[\w./:@-]{1,128}$/.test(text) ? text : shownName(text)
}
