import { type Document, isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml'
import type { Located, LocatedEntry } from './located.ts'

export type TextProblem = {
  readonly at: number
  /** What stands there that keeps two readers from reading the same. */
  readonly what: 'malformed' | 'duplicate-key' | 'alias' | 'merge-key' | 'tag' | 'directive' | 'several-documents' | 'key' | 'number'
}

export type ReadText = {
  /** Of the text, in UTF-8. */
  readonly bytes: number
  /** Undefined where it cannot be read. */
  readonly root: Located | undefined
  readonly problems: readonly TextProblem[]
  readonly placeOf: (at: number) => { readonly line: number; readonly column: number }
}

const MOST_PROBLEMS = 100
/** Of a Compose file or an app-compose; what is deeper is nobody's. */
const DEEPEST = 64

/** Reads YAML 1.2, or JSON, of which it is a superset. What can be read in more than one way is a problem. Never throws. */
export function readLocated(text: string): ReadText {
  const lines = new LineCounter()
  const placeOf = (at: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(Math.min(at, text.length))
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const problems: TextProblem[] = []
  const bytes = Buffer.byteLength(text)
  const add = (at: number | undefined, what: TextProblem['what']): void => {
    if (problems.length < MOST_PROBLEMS) problems.push({ at: at ?? 0, what })
  }
  try {
    const document = parseDocument(text, {
      version: '1.2',
      schema: 'core',
      strict: true,
      uniqueKeys: false,
      merge: false,
      lineCounter: lines,
    })
    const directive = /^%/m.exec(text)
    if (directive !== null) add(directive.index, 'directive')
    for (const error of [...document.errors, ...document.warnings]) add(error.pos[0], problemOf(error.code))
    noteUnplain(document, text, add)
    const root = document.errors.length > 0 || document.contents === null ? undefined : located(document.contents, add, 0)
    return { bytes, root, problems, placeOf }
  } catch {
    // The parser recurses, and hostile nesting exhausts the stack.
    return { bytes, root: undefined, problems: [{ at: 0, what: 'malformed' }], placeOf }
  }
}

function problemOf(code: string): TextProblem['what'] {
  if (code === 'MULTIPLE_DOCS') return 'several-documents'
  return code === 'TAG_RESOLVE_FAILED' ? 'tag' : 'malformed'
}

type Add = (at: number | undefined, what: TextProblem['what']) => void

function noteUnplain(document: Document.Parsed, text: string, add: Add): void {
  visit(document, (_, node) => {
    if (isAlias(node)) add(node.range?.[0], 'alias')
    else if (isPair(node) && isScalar(node.key) && node.key.value === '<<') add(node.key.range?.[0], 'merge-key')
    else if (isNode(node) && 'anchor' in node && node.anchor !== undefined) add(node.range?.[0], 'alias')
    else if (isNode(node) && node.tag !== undefined && isTagged(text, node)) add(node.range?.[0], 'tag')
  })
}

/** Whether the text itself names a tag: a node has one that it was resolved by, too. */
function isTagged(text: string, node: Node): boolean {
  const at = node.range?.[0]
  if (at === undefined) return false
  const line = text.lastIndexOf('\n', at - 1) + 1
  return /(?:^|[\s,[{:-])![^\s,\]}]*\s*$/.test(text.slice(line, at)) || text[at] === '!'
}

function located(node: unknown, add: Add, depth: number): Located {
  const at = isNode(node) ? (node.range?.[0] ?? 0) : 0
  if (depth > DEEPEST) {
    add(at, 'malformed')
    return nothing(at)
  }
  if (isMap(node)) {
    const entries: LocatedEntry[] = []
    const seen = new Set<string>()
    for (const pair of node.items) {
      const keyAt = isNode(pair.key) ? (pair.key.range?.[0] ?? at) : at
      const key = isScalar(pair.key) ? pair.key.value : pair.key
      // Compose takes a number for the text that it is written as, other readers for a number.
      if (typeof key !== 'string') add(keyAt, 'key')
      const name = String(key)
      if (seen.has(name)) add(keyAt, 'duplicate-key')
      seen.add(name)
      entries.push({ key: name, keyAt, value: pair.value === null ? nothing(keyAt) : located(pair.value, add, depth + 1) })
    }
    return { kind: 'map', at, entries }
  }
  if (isSeq(node)) return { kind: 'list', at, items: node.items.map((item) => located(item, add, depth + 1)) }
  if (!isScalar(node)) return nothing(at)
  const { value } = node
  if (typeof value === 'number' && !Number.isSafeInteger(value) && !isExact(value, node.source)) add(at, 'number')
  return { kind: 'scalar', at, value: isSimple(value) ? value : null, isPlain: node.type === 'PLAIN' }
}

function isExact(value: number, source: string | undefined): boolean {
  return Number.isFinite(value) && String(value) === source
}

function isSimple(value: unknown): value is string | number | boolean | null {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
}

function nothing(at: number): Located {
  return { kind: 'scalar', at, value: null, isPlain: true }
}
