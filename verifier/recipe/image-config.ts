import { isAlias, isNode, isPair, isScalar, LineCounter, parseDocument, visit } from 'yaml'
import { z } from 'zod'
import type { ImageConfig } from '../model/recipe.ts'
import type { TreeView } from './tree-view.ts'

/** Beside mkosi.conf: how the finished tree is packed as an OCI image. */
export const IMAGE_CONFIG_FILE = 'bitwitness.yaml'

export type ImageConfigReading = {
  readonly imageConfig: ImageConfig
  readonly problems: readonly { readonly line: number | null; readonly message: string }[]
}

const MOST_BYTES = 64 * 1024
const MOST_PROBLEMS = 20
const EMPTY: ImageConfig = { entrypoint: [], cmd: [], workingDir: null, user: null, env: [], exposedPorts: [], labels: {} }

const text = z
  .string()
  .max(4096)
  .regex(/^[^\0]*$/)
const list = z.array(text).max(256)
const File = z.strictObject({
  image: z
    .strictObject({
      entrypoint: list.optional(),
      cmd: list.optional(),
      workingDir: text.regex(/^\//).optional(),
      user: z
        .string()
        .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?$/)
        .optional(),
      env: z
        .array(text.regex(/^[A-Za-z_][A-Za-z0-9_]*=/))
        .max(256)
        .optional(),
      exposedPorts: z.array(z.string().refine(isPort)).max(256).optional(),
      labels: z.record(text.min(1), text).optional(),
    })
    .optional(),
})

/** What the recipe's bitwitness.yaml says; empty, with problems, where it says nothing or cannot be trusted to say one thing only. Never throws. */
export function readImageConfig(tree: TreeView): ImageConfigReading {
  const found = tree.resolve('', IMAGE_CONFIG_FILE)
  if (found.kind === 'missing') return { imageConfig: EMPTY, problems: [] }
  const refuse = (line: number | null, message: string): ImageConfigReading => ({ imageConfig: EMPTY, problems: [{ line, message }] })
  if (found.kind !== 'file' || found.links.length > 0) return refuse(null, 'it is no file of its own')
  if ((tree.entry(found.path)?.size ?? 0) > MOST_BYTES) return refuse(null, 'it is larger than 64 KiB')
  const content = tree.text(found.path)
  if (content === undefined) return refuse(null, 'it is no UTF-8 text')
  try {
    return parse(content)
  } catch {
    // The parser recurses, and hostile nesting exhausts the stack.
    return refuse(null, 'it is nested too deeply to be read')
  }
}

function parse(content: string): ImageConfigReading {
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
  const problems: { line: number | null; message: string }[] = []
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
  if (problems.length > 0) return { imageConfig: EMPTY, problems }
  const parsed = File.safeParse(document.toJS({ maxAliasCount: 0 }) ?? {})
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const at = issue.path.map(String).join('.') || 'the document'
      const node = document.getIn(issue.path.map(String), true)
      add(isNode(node) ? node.range?.[0] : undefined, messageOf(issue, at))
    }
    return { imageConfig: EMPTY, problems }
  }
  const image = parsed.data.image ?? {}
  return {
    imageConfig: { ...EMPTY, ...Object.fromEntries(Object.entries(image).filter(([, value]) => value !== undefined)) },
    problems: [],
  }
}

const PARSER_CODES: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'a key stands twice in it',
  MULTIPLE_DOCS: 'it holds more than one document',
  TAG_RESOLVE_FAILED: 'a tag stands in it',
}

function isTagged(content: string, offset: number | undefined): boolean {
  return offset !== undefined && content.slice(Math.max(0, offset - 200), offset + 1).includes('!')
}

function messageOf(issue: z.core.$ZodIssue, at: string): string {
  if (issue.code === 'unrecognized_keys') return `${at} has a key that is not known`
  return `${at} is not what it should be`
}

function isPort(value: string): boolean {
  const match = /^([1-9]\d{0,4})\/(tcp|udp|sctp)$/.exec(value)
  return match !== null && Number(match[1]) <= 65_535
}
