import { visible } from '../../../verifier/model/visible.ts'

/**
 * Text of strangers as a code span of GitHub's Markdown: nothing in it is a link, a mention, HTML, the end of the span or of a table's cell.
 * What could be is written as `\u{…}`, as is all that a terminal would obey.
 */
export function code(text: string): string {
  const inert = visible(text).replaceAll(/[`|]/g, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`)
  return `\`${inert === '' ? ' ' : inert}\``
}

/** A table whose cells are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return []
  return ['', ...[head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)]
}
