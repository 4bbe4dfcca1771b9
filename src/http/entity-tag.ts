/** Whether an If-None-Match names this tag (RFC 9110, 13.1.2): whoever sent it has the answer already. */
export function hasTag(ifNoneMatch: string | undefined, tag: string): boolean {
  return (ifNoneMatch ?? '').split(',').some((one) => one.trim().replace(/^W\//, '') === tag || one.trim() === '*')
}
