import { isAlias, isMap, isNode, isPair, isScalar, LineCounter, parseDocument, visit } from 'yaml'
import type { z } from 'zod'
import { expectation, schemaProblems } from './schema-problems.ts'

export type YamlProblem = { readonly line: number | null; readonly message: string }

export type PlainYaml<T> =
  | { readonly data: T; readonly problems: readonly [] }
  | { readonly data: null; readonly problems: readonly YamlProblem[] }

const MOST_PROBLEMS = 20
const MOST_IN_ONE = 5

/**
 * Reads YAML 1.2 that can be read in one way only: no directive, anchor, alias, merge key or tag, no key twice, one document. An empty
 * document counts as `{}`. Messages repeat nothing of the text but keys, escaped. Never throws.
 */
export function readPlainYaml<S extends z.ZodType>(content: string, schema: S): PlainYaml<z.output<S>> {
  try {
    return read(content, schema)
  } catch {
    // The parser recurses, and hostile nesting exhausts the stack.
    return { data: null, problems: [{ line: null, message: 'it is nested too deeply to be read' }] }
  }
}

function read<S extends z.ZodType>(content: string, schema: S): PlainYaml<z.output<S>> {
  const lines = new LineCounter()
  const document = parseDocument(content, {
    version: '1.2',
    schema: 'core',
    strict: true,
    uniqueKeys: true,
    merge: false,
    lineCounter: lines,
  })
  const lineOf = (offset: number | undefined): number | null => (offset === undefined ? null : Math.max(1, lines.linePos(offset).line))
  const problems: YamlProblem[] = []
  const add = (offset: number | undefined, message: string): void => {
    if (problems.length < MOST_PROBLEMS) problems.push({ line: lineOf(offset), message })
  }
  const directive = /^%/m.exec(content)
  if (directive !== null) add(directive.index, 'a directive stands in it')
  for (const error of [...document.errors, ...document.warnings]) add(error.pos[0], PARSER_CODES[error.code] ?? 'it is no plain YAML')
  visit(document, (_, node) => {
    if (isAlias(node)) add(node.range?.[0], 'an alias stands in it')
    else if (isPair(node) && isScalar(node.key) && node.key.value === '<<') add(node.key.range?.[0], 'a merge key stands in it')
    else if (isNode(node) && 'anchor' in node && node.anchor !== undefined) add(node.range?.[0], 'an anchor stands in it')
    else if (isNode(node) && node.tag !== undefined && isTagged(content, node.range?.[0])) add(node.range?.[0], 'a tag stands in it')
  })
  if (problems.length > 0) return { data: null, problems }
  const found: unknown = document.toJS({ maxAliasCount: 0 })
  const value = found ?? {}
  const parsed = schema.safeParse(value, { error: expectation })
  if (parsed.success) return { data: parsed.data, problems: [] }
  // Else everything that is missing would be said of it, a line each.
  if (found === null || found === undefined) return { data: null, problems: [{ line: null, message: 'nothing stands in it' }] }
  for (const { path, key, message } of schemaProblems(parsed.error.issues, value)) {
    const node = document.getIn(path, true)
    const nodes = key === null ? [node] : keysIn(node, key)
    for (const at of nodes) add(isNode(at) ? at.range?.[0] : undefined, message)
  }
  return { data: null, problems }
}

/** Problems in one sentence for a failure, the first few of them in the order of the lines. */
export function problemsInOne(problems: readonly YamlProblem[]): string {
  const sorted = problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
  const said = sorted.slice(0, MOST_IN_ONE).map(({ line, message }) => `${line === null ? '' : `line ${line}: `}${message}`)
  return [...said, ...(sorted.length > MOST_IN_ONE ? [`and ${sorted.length - MOST_IN_ONE} more`] : [])].join('; ')
}

/** Where a key stands that is not known; the whole where it is not found. */
function keysIn(node: unknown, name: string): readonly unknown[] {
  if (!isMap(node)) return [node]
  const found = node.items.map(({ key }) => key).filter((key) => isScalar(key) && String(key.value) === name)
  return found.length === 0 ? [node] : found
}

const PARSER_CODES: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'a key stands twice in it',
  MULTIPLE_DOCS: 'it holds more than one document',
  TAG_RESOLVE_FAILED: 'a tag stands in it',
}

function isTagged(content: string, offset: number | undefined): boolean {
  return offset !== undefined && content.slice(Math.max(0, offset - 200), offset + 1).includes('!')
}
