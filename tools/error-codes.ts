import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

export type ErrorCode = { readonly code: string; readonly messages: readonly string[]; readonly hints: readonly string[] }

const root = path.join(import.meta.dirname, '..')
const STRING = String.raw`'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|\x60((?:[^\x60\\]|\\.)*)\x60`
const KEBAB = String.raw`[a-z0-9]+(?:-[a-z0-9]+)*`

/** Every stable code that the code in some folders gives, with the words it goes with, as far as they are written beside it. */
export function errorCodes(folders: readonly string[] = ['src', 'verifier', 'attestations']): ErrorCode[] {
  const found = new Map<string, { messages: Set<string>; hints: Set<string> }>()
  const note = (code: string, message: string | undefined, hint: string | undefined): void => {
    const words = found.get(code) ?? { messages: new Set(), hints: new Set() }
    if (message !== undefined) words.messages.add(message)
    if (hint !== undefined) words.hints.add(hint)
    found.set(code, words)
  }
  for (const text of sources(folders)) for (const [code, message, hint] of codesIn(text)) note(code, message, hint)
  return [...found]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { messages, hints }]) => ({ code, messages: [...messages], hints: [...hints] }))
}

function* codesIn(text: string): Generator<[code: string, message: string | undefined, hint: string | undefined]> {
  // An object literal that names its code.
  for (const match of text.matchAll(new RegExp(`code: '(${KEBAB})'`, 'g'))) {
    const rest = text.slice(match.index, match.index + 900)
    const object = rest.slice(0, endOfObject(rest))
    yield [match[1] ?? '', property(text, object, 'message'), property(text, object, 'hint')]
  }
  // A table from codes to a message and a hint.
  if (!text.includes('Failure')) return
  for (const match of text.matchAll(new RegExp(`^\\s*'?(${KEBAB})'?: \\[\\s*(?:${STRING}),\\s*(?:${STRING}|([A-Z_]+)),?\\s*\\]`, 'gm')))
    if ((match[1] ?? '').includes('-'))
      yield [match[1] ?? '', unquoted(match.slice(2, 5)), unquoted(match.slice(5, 8)) ?? constant(text, match[8])]
}

/** Where the object ends that the text begins inside of. */
function endOfObject(text: string): number {
  let depth = 0
  for (const [at, character] of text.split('').entries()) {
    if (character === '{') depth += 1
    if (character === '}' && --depth < 0) return at
  }
  return text.length
}

function property(text: string, object: string, name: string): string | undefined {
  const match = new RegExp(`\\b${name}:\\s*(?:${STRING})`).exec(object)
  return match === null ? constant(text, new RegExp(`\\b${name}: ([A-Z_]+)\\b`).exec(object)?.[1]) : unquoted(match.slice(1, 4))
}

/** A text that the file gives a name of its own. */
function constant(text: string, name: string | undefined): string | undefined {
  const match = name === undefined ? null : new RegExp(`const ${name} =\\s*(?:${STRING})`).exec(text)
  return match === null ? undefined : unquoted(match.slice(1, 4))
}

/** The text of a literal as a page may show it; what is filled in at run time is an ellipsis. */
function unquoted(groups: readonly (string | undefined)[]): string | undefined {
  return groups
    .find((group) => group !== undefined)
    ?.replaceAll(/\$\{[^}]*\}/g, '…')
    .replaceAll(/\\(.)/g, '$1')
}

function sources(folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name) && !name.includes('testing/'))
      .toSorted()
      .map((name) => readFileSync(path.join(root, folder, name), 'utf8')),
  )
}

/** docs/errors.md. */
export function errorsPage(): string {
  const cell = (texts: readonly string[]): string => texts.map((text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')).join('; or: ')
  return [
    '# Codes',
    '',
    'Made from the code by `npm run generate`: every code that a failure, an outcome or a verdict can carry. Codes do not change their',
    'meaning; messages may be worded better. `…` stands for what is filled in at run time.',
    '',
    'A failure is what stopped us from finding out; with `--json` it is a document of schema `bitwitness/error/v1`. In a report, codes are',
    'in `reasons[].code` and `attempts[].reason.code`; `limit-…` there names the limit that was hit, and the code of a refused recipe is',
    'its rule. `cancelled` is the code of an interruption.',
    '',
    '| code | what it says | what to do |',
    '|---|---|---|',
    ...errorCodes().map(({ code, messages, hints }) => `| \`${code}\` | ${cell(messages)} | ${cell(hints)} |`),
    '',
  ].join('\n')
}
