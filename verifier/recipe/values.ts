import type { Shape } from './settings/setting.ts'

/** A value's items as mkosi's own parsers split it; an empty list where the value resets what came before. */
export function splitValue(shape: Shape, value: string): string[] {
  switch (shape) {
    case 'text':
    case 'name':
    case 'path':
      return value === '' ? [] : [value]
    case 'list':
    case 'paths':
    case 'scripts':
    case 'trees':
    case 'inside':
      return value.replaceAll(',', '\n').split('\n').filter(Boolean)
    case 'words':
    case 'drives':
      return value.replaceAll(' ', '\n').split('\n').filter(Boolean)
    case 'environment':
    case 'credentials':
      return shellWords(value) ?? []
  }
}

/** The paths that mkosi looks up for a value, as written. */
export function pathsIn(shape: Shape, value: string): string[] {
  switch (shape) {
    case 'path':
    case 'paths':
    case 'scripts':
      return splitValue(shape, value)
    case 'trees':
      return splitValue(shape, value).map((item) => splitTree(item).source)
    case 'drives':
      return splitValue(shape, value).flatMap((item) => item.split(':')[2] || [])
    case 'credentials':
      return value === '' || value.includes('=') ? [] : [value]
    case 'text':
    case 'name':
    case 'list':
    case 'words':
    case 'inside':
    case 'environment':
      return []
  }
}

export function splitTree(item: string): { source: string; target: string | null } {
  const at = item.indexOf(':')
  return at < 0 ? { source: item, target: null } : { source: item.slice(0, at), target: item.slice(at + 1) }
}

/**
 * `shlex` in POSIX mode with blanks and newlines between words, as mkosi takes Environment= apart. Undefined where a quote is left open,
 * at which mkosi stops.
 */
export function shellWords(text: string): string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (quote !== '') {
      if (character === quote) quote = ''
      else if (character === '\\' && quote === '"' && /["\\]/.test(text.charAt(at + 1))) word = (word ?? '') + text.charAt(++at)
      else word = (word ?? '') + character
    } else if (character === ' ' || character === '\n') {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (character === '"' || character === "'") {
      quote = character
      word ??= ''
    } else if (character === '\\') {
      at += 1
      if (at >= text.length) return undefined
      word = (word ?? '') + text.charAt(at)
    } else word = (word ?? '') + character
  }
  if (quote !== '') return undefined
  if (word !== undefined) words.push(word)
  return words
}

/** mkosi's booleans; undefined for anything else, at which it stops. */
export function parseBoolean(value: string): boolean | undefined {
  const word = value.toLowerCase()
  if (['1', 'true', 'yes', 'y', 't', 'on', 'always'].includes(word)) return true
  if (['0', 'false', 'no', 'n', 'f', 'off', 'never'].includes(word)) return false
  return undefined
}

/** Whether a flag is on for the rules: whatever does not plainly say no. An empty value is the default, off for the flags they look at. */
export function mayBeOn(value: string): boolean {
  return value !== '' && parseBoolean(value) !== false
}
