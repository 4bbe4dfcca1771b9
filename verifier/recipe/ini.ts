import { dedent, isPythonSpace, pythonLines, pythonStrip } from './python-text.ts'

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

/**
 * Reads a config file the way `parse_ini` of mkosi 25.3 and 27.1 does: `#` starts a comment wherever it stands, an indented line goes on
 * with the value above it, names are case-sensitive and may repeat, sections may too. Where mkosi stops with an error this goes on, so
 * that the rules see the rest as well. Never throws.
 */
export function parseIni(text: string): Ini {
  const problems: IniProblem[] = hiddenCharacters(text)
  const entries: IniEntry[] = []
  const sections: { name: string; line: number }[] = []
  let section: string | undefined
  let open: { section: string; name: string; values: string[]; line: number } | undefined

  const close = (): void => {
    if (open !== undefined) entries.push({ section: open.section, name: open.name, value: open.values.join('\n'), line: open.line })
    open = undefined
  }
  for (const [index, raw] of dedent(pythonLines(text)).entries()) {
    const line = index + 1
    const comment = raw.indexOf('#')
    const written = comment >= 0 ? raw.slice(0, comment) : raw
    const content = pythonStrip(written)
    if (content === '') continue
    if (open !== undefined && isPythonSpace(written.charAt(0))) {
      open.values.push(content)
      continue
    }
    close()
    const problem = (message: string): void => void problems.push({ kind: 'syntax', line, message })
    if (content.startsWith('[')) {
      if (!content.endsWith(']')) problem('a section does not end with a bracket')
      section = pythonStrip(content.slice(1, content.endsWith(']') ? -1 : undefined))
      if (section === '') problem('a section has no name')
      else sections.push({ name: section, line })
      continue
    }
    const at = content.indexOf('=')
    if (at <= 0) {
      problem(at < 0 ? 'a line is neither a section nor a setting' : 'a setting has no name')
      continue
    }
    if (section === undefined || section === '') problem('a setting stands before the first section')
    open = {
      section: section ?? '',
      name: pythonStrip(content.slice(0, at)),
      values: [pythonStrip(content.slice(at + 1))],
      line,
    }
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
    if (HIDDEN.test(line.endsWith('\r') ? line.slice(0, -1) : line))
      problems.push({ kind: 'ambiguous', line: index + 1, message: 'a control character or an invisible one stands in the config' })
    else if (INVISIBLE.test(code))
      problems.push({ kind: 'ambiguous', line: index + 1, message: 'white space other than blanks and tabs stands in a setting' })
    if (problems.length >= MOST_PROBLEMS) break
  }
  return problems
}

const MOST_PROBLEMS = 20
