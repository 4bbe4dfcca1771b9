/*
 * Text as the Python that mkosi runs on reads it. JavaScript's own trim, split and \s know other characters, and a setting could hide
 * in the difference.
 */

/** `str.isspace` of one character: the white space that `str.strip` removes. */
export function isPythonSpace(character: string): boolean {
  return character !== '' && PYTHON_SPACE.includes(character)
}

const LINE_ENDS = '\n\v\f\x1c\x1d\x1e\x85\u2028\u2029'
const PYTHON_SPACE = `${LINE_ENDS}\t\r\x1f \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000`

/** `str.strip()`. */
export function pythonStrip(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isPythonSpace(text.charAt(start))) start += 1
  while (end > start && isPythonSpace(text.charAt(end - 1))) end -= 1
  return text.slice(start, end)
}

/** `Path.read_text()` once decoded: a carriage return, alone or before a newline, becomes a newline. */
export function universalNewlines(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n')
}

/** `str.splitlines()`, carriage returns aside. */
export function pythonLines(text: string): string[] {
  const lines: string[] = []
  let start = 0
  for (let at = 0; at < text.length; at += 1) {
    if (!LINE_ENDS.includes(text.charAt(at))) continue
    lines.push(text.slice(start, at))
    start = at + 1
  }
  return start < text.length ? [...lines, text.slice(start)] : lines
}

/** `textwrap.dedent`: takes off the white space that every line begins with; a blank line has no say in it. It knows newlines only. */
export function dedent(text: string): string {
  const lines = text.split('\n')
  let margin: string | undefined
  for (const line of lines) {
    if (/^[ \t]*$/.test(line)) continue
    const indent = /^[ \t]*/.exec(line)?.[0] ?? ''
    margin = margin === undefined ? indent : commonPrefix(margin, indent)
  }
  const cut = margin?.length ?? 0
  return lines.map((line) => (/^[ \t]*$/.test(line) ? '' : line.slice(cut))).join('\n')
}

function commonPrefix(a: string, b: string): string {
  let length = 0
  while (length < a.length && a[length] === b[length]) length += 1
  return a.slice(0, length)
}
