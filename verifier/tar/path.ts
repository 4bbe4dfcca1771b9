/**
 * Brings a member's path (one character a byte) to its one form: no leading `./`, no trailing slash, `.` for the root. Undefined where
 * it is not normal: absolute, empty, with an empty, `.` or `..` component, with `./` twice, or longer than allowed.
 */
export function normalPath(written: string, options: { readonly directory: boolean; readonly maxLength: number }): string | undefined {
  if (written === '.' || written === './') return options.directory ? '.' : undefined
  const open = written.startsWith('./') ? 2 : 0
  const close = options.directory && written.endsWith('/') ? written.length - 1 : written.length
  const path = written.slice(open, close)
  if (path.length > options.maxLength || path.includes('\0')) return undefined
  return NOT_NORMAL.test(path) ? undefined : path
}

/** Empty, or with a component that is empty, `.` or `..`. */
const NOT_NORMAL = /(?:^|\/)\.{0,2}(?:\/|$)/

/** Text whose plain order is canonical order: a directory stands directly before its contents, names in a directory go by their bytes. */
export function sortKey(path: string): string {
  return path === '.' ? '' : path.replaceAll('/', '\0')
}
