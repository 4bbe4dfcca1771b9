import { dedent, isPythonSpace, pythonLines, pythonStrip, universalNewlines } from './python-text.ts'

/** One `Name=value` as mkosi's parser yields it: comments gone, continuation lines joined by newlines. */
export type IniEntry = {
  readonly section: string
  /** As written, stripped. */
  readonly name: string
  readonly value: string
  /** 1-based, of the name. */
  readonly line: number
}

export type IniProblem = {
  /** `syntax`: mkosi stops here. `ambiguous`: another reader, or an eye, could take it for something else. */
  readonly kind: 'syntax' | 'ambiguous'
  readonly line: number
  readonly message: string
}

export type Ini = {
  readonly entries: readonly IniEntry[]
  readonly sections: readonly { readonly name: string; readonly line: number }[]
  readonly problems: readonly IniProblem[]
}

const MOST_PROBLEMS = 20

/**
 * Reads a config file the way `parse_ini` of mkosi 25.3 and 27.1 does: `#` starts a comment wherever it stands, an indented line goes on
 * with the value above it, names are case-sensitive and may repeat, sections may too. Sections that are not wanted are passed over, and
 * then an indented line goes on with nothing: so it matters which ones are asked for, as it does for mkosi, which reads a file once for
 * conditions and once for settings. Where mkosi stops with an error this goes on, so that the rules see the rest. Never throws.
 */
export function parseIni(text: string, wanted: (section: string) => boolean = () => true): Ini {
  return assemble(scan(text), wanted, hiddenCharacters(text))
}

/** The entries of one text for several choices of sections, and what is wrong with it when all are read. */
export function parseIniFor(
  text: string,
  choices: readonly ((section: string) => boolean)[],
): { all: Ini; chosen: (readonly IniEntry[])[] } {
  const lines = scan(text)
  const all = assemble(lines, () => true, hiddenCharacters(text))
  return { all, chosen: choices.map((wanted) => assemble(lines, wanted, []).entries) }
}

type Line = { readonly line: number; readonly content: string; readonly indented: boolean }

/** Lines with something on them, comments gone. */
function scan(text: string): Line[] {
  return pythonLines(dedent(universalNewlines(text))).flatMap((raw, index) => {
    const comment = raw.indexOf('#')
    const written = comment >= 0 ? raw.slice(0, comment) : raw
    const content = pythonStrip(written)
    return content === '' ? [] : [{ line: index + 1, content, indented: isPythonSpace(written.charAt(0)) }]
  })
}

function assemble(lines: readonly Line[], wanted: (section: string) => boolean, known: readonly IniProblem[]): Ini {
  const problems: IniProblem[] = [...known]
  const entries: IniEntry[] = []
  const sections: { name: string; line: number }[] = []
  let section = ''
  let open: { name: string; values: string[]; line: number } | undefined
  const problem = (kind: IniProblem['kind'], line: number, message: string): void => {
    if (problems.length < known.length + MOST_PROBLEMS) problems.push({ kind, line, message })
  }
  const close = (): void => {
    if (open !== undefined) entries.push({ section, name: open.name, value: open.values.join('\n'), line: open.line })
    open = undefined
  }

  for (const { line, content, indented } of lines) {
    if (indented && content.startsWith('[')) problem('ambiguous', line, 'an indented line is a section or a value, as the reader takes it')
    if (open !== undefined && indented) {
      open.values.push(content)
      continue
    }
    close()
    if (content.startsWith('[')) {
      if (!content.endsWith(']')) problem('syntax', line, 'a section does not end with a bracket')
      section = pythonStrip(content.slice(1, content.endsWith(']') ? -1 : undefined))
      if (section === '') problem('syntax', line, 'a section has no name')
      else sections.push({ name: section, line })
      continue
    }
    if (section === '') problem('syntax', line, 'a setting stands before the first section')
    if (!wanted(section)) continue
    const at = content.indexOf('=')
    if (at > 0) open = { name: pythonStrip(content.slice(0, at)), values: [pythonStrip(content.slice(at + 1))], line }
    else problem('syntax', line, at < 0 ? 'a line is neither a section nor a setting' : 'a setting has no name')
  }
  close()
  return { entries, sections, problems }
}

/** Characters that end lines for one reader and not for another, or that turn what an eye sees around. */
const HIDDEN = /[^\P{Cc}\t]|[\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u
/** Outside comments nothing invisible has a place, nor any white space that only Python takes for such. */
const INVISIBLE = /\p{Cf}|[^\P{Zs} ]/u

function hiddenCharacters(text: string): IniProblem[] {
  const problems: IniProblem[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const code = line.slice(0, line.includes('#') ? line.indexOf('#') : undefined)
    const hidden = HIDDEN.test(line.endsWith('\r') ? line.slice(0, -1) : line)
    if (hidden || INVISIBLE.test(code))
      problems.push({
        kind: 'ambiguous',
        line: index + 1,
        message: 'a character stands here that is invisible, or a blank to some readers only',
      })
    if (problems.length >= MOST_PROBLEMS) break
  }
  return problems
}
