/** Names of the members of a tar whose names are short. */
export function parseTarHeaders(tar: Buffer): string[] {
  const names: string[] = []
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    names.push(tar.toString('latin1', at, at + 100).replace(/\0.*$/s, ''))
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 136), 8)
    at += 512 + Math.ceil(size / 512) * 512
  }
  return names
}
