type Documented = { readonly placeholder?: string }

/** A row of the table of flags: alias, name, what closes it, and what it is for. */
const ROW = /^( {2,}(?:-\S +)?\[?)--([a-z-]*)(\]?(?:\.\.\.)?) {2,}(\S.*)$/

/**
 * A help screen with what each flag takes beside its name, which the library shows in the usage line alone: `[--lock FILE]`. That a
 * switch is off unless given says itself. `flags` are by their names in code.
 */
export function withPlaceholders(help: string, flags: Readonly<Record<string, Documented>>): string {
  const values = new Map(Object.entries(flags).map(([name, { placeholder }]) => [kebab(name), placeholder ?? '']))
  const lines = help.split('\n').map((line) => {
    const [row, before = '', name = '', after = '', brief = ''] = ROW.exec(line) ?? []
    if (row === undefined) return { line }
    return {
      flag: `${before}--${`${name} ${values.get(name) ?? ''}`.trim()}${after}`,
      brief: brief.replace(/ *\[default = false\]$/, '').replace(/ +(\[default = .*\])$/, ' $1'),
    }
  })
  const width = Math.max(0, ...lines.map(({ flag }) => flag?.length ?? 0))
  return lines.map(({ line, flag, brief }) => line ?? `${flag.padEnd(width)}  ${brief}`).join('\n')
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
