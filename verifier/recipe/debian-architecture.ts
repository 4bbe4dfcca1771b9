/** mkosi's words for architectures, by Debian's. */
const MKOSI_NAMES: Readonly<Record<string, string>> = { amd64: 'x86-64', arm64: 'arm64' }

/** Debian's word for what a recipe states in mkosi's; a word that is not known stays as it is. */
export function debianArchitecture(stated: string): string {
  return Object.entries(MKOSI_NAMES).find(([, name]) => name === stated)?.[0] ?? stated
}

export function mkosiArchitecture(debian: string): string {
  return MKOSI_NAMES[debian] ?? debian
}
