/**
 * Text of strangers as a terminal may show it: control characters (escape sequences begin with one), bidirectional and other invisible
 * formatting characters are written as `\u{…}`, so that nothing that was built can move the cursor, hide a line or turn a name around.
 */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
}

/** Cut to a number of characters, the cut shown. */
export function shortened(text: string, length: number): string {
  const characters = Array.from(text)
  return characters.length <= length ? text : `${characters.slice(0, Math.max(0, length - 1)).join('')}…`
}
