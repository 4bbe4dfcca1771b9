import { Failure } from './failure.ts'
import { utf8Text } from './utf8-text.ts'

export type JsonLimits = { readonly maxBytes: number; readonly maxDepth: number }

/** Several times what the largest of our documents needs. */
export const JSON_LIMITS: JsonLimits = { maxBytes: 16 << 20, maxDepth: 64 }

/**
 * Reads JSON (RFC 8259) that every parser reads alike. Refused are bytes that are no UTF-8, a byte order mark, a key twice in an object, `__proto__`
 * as a key, numbers that a double does not hold, and what is too large or too deep. Failures: `json-…`.
 */
export function parseStrictJson(bytes: Uint8Array, limits: JsonLimits = JSON_LIMITS): unknown {
  if (bytes.length > limits.maxBytes) throw jsonFailure('json-too-large')
  const text = utf8Text(bytes)
  if (text === undefined) throw jsonFailure('json-not-utf8')
  scan(text, limits.maxDepth)
  try {
    return JSON.parse(text)
  } catch {
    // The engine's message repeats the text.
    throw jsonFailure('json-malformed')
  }
}

/** Keys of the object that is open, null in an array. */
type Frame = Set<string> | null

/** Looks at what `JSON.parse` forgives. Whether the text is JSON at all is that function's to say. */
function scan(text: string, maxDepth: number): void {
  const frames: Frame[] = []
  let keyNext = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (character === '"') {
      const end = endOfString(text, at)
      const frame = frames.at(-1)
      if (keyNext && frame != null) noteKey(frame, text.slice(at, end + 1))
      keyNext = false
      at = end
    } else if (character === '{' || character === '[') {
      if (frames.length === maxDepth) throw jsonFailure('json-too-deep')
      frames.push(character === '{' ? new Set() : null)
      keyNext = character === '{'
    } else if (character === '}' || character === ']') frames.pop()
    else if (character === ',') keyNext = frames.at(-1) != null
    else if (character === '-' || (character !== undefined && character >= '0' && character <= '9')) at = endOfNumber(text, at) - 1
  }
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (text[end - 1 - backslashes] === '\\') backslashes += 1
    if (backslashes % 2 === 0) return end
  }
  throw jsonFailure('json-malformed')
}

function noteKey(keys: Set<string>, literal: string): void {
  let key: string
  try {
    key = JSON.parse(literal) as string
  } catch {
    throw jsonFailure('json-malformed')
  }
  if (keys.has(key)) throw jsonFailure('json-duplicate-key')
  if (key === '__proto__') throw jsonFailure('json-malformed')
  keys.add(key)
}

function endOfNumber(text: string, start: number): number {
  let end = start
  while (end < text.length && /[-+.0-9eE]/.test(text[end] ?? '')) end += 1
  const literal = text.slice(start, end)
  const value = Number(literal)
  const inexact = /^-?\d+$/.test(literal) && !Number.isSafeInteger(value) && String(value) !== literal
  if (!Number.isFinite(value) || inexact) throw jsonFailure('json-number-inexact')
  return end
}

type JsonFailureCode = keyof typeof MESSAGES

const HINT = 'take the document again from who made it: this one cannot be read in one way only'
const MESSAGES = {
  'json-too-large': ['the JSON document is too large', HINT],
  'json-not-utf8': ['the JSON document is not UTF-8', HINT],
  'json-malformed': ['the document is not JSON', HINT],
  'json-too-deep': ['the JSON document is nested too deeply', HINT],
  'json-duplicate-key': ['the JSON document has a key twice in one object', HINT],
  'json-number-inexact': ['the JSON document has a number that not every reader takes for the same', HINT],
} as const

export function jsonFailure(code: JsonFailureCode): Failure {
  const [message, hint] = MESSAGES[code]
  return new Failure({ code, message, hint })
}
