import path from 'node:path'
import { parseSize } from './size.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** One environment variable that we read. `read` gives undefined for a value that cannot be. */
export type Setting<T> = {
  readonly variable: string
  readonly about: string
  /** What a value looks like, for docs and hints. */
  readonly form: string
  /** The default as docs show it. */
  readonly otherwise: string
  readonly fallback: (environment: Environment) => T
  readonly read: (text: string) => T | undefined
}

export const absolutePath = (text: string): string | undefined => (path.isAbsolute(text) ? path.resolve(text) : undefined)
export const wholeNumber =
  (maximum: number) =>
  (text: string): number | undefined =>
    /^[1-9]\d{0,8}$/.test(text) && Number(text) <= maximum ? Number(text) : undefined
export const oneOf =
  <const T extends string>(...values: readonly T[]) =>
  (text: string): T | undefined =>
    values.find((value) => value === text)
export const size = (variable: string, about: string, otherwise: string): Setting<number> => ({
  variable,
  about,
  form: 'bytes, or a number with K, M, G or T (powers of 1024)',
  otherwise,
  fallback: () => parseSize(otherwise) ?? 0,
  read: parseSize,
})
