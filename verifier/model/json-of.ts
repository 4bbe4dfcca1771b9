/** What a JSON text says; undefined, which no JSON says, where it is none. For what strangers write there is `parseStrictJson`. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
