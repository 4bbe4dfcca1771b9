/** What a package URL of Debian or npm names. */
export type NamedPackage = {
  readonly ecosystem: 'debian' | 'npm'
  /** Of npm with its scope, where it has one. */
  readonly name: string
  readonly version: string
  /** Of Debian, `arch`; null where none is named. */
  readonly architecture: string | null
}

const FORM =
  /^pkg:(?:deb\/debian\/(?<debian>[^/@?#]+)|npm\/(?<npm>(?:%40[^/@?#]+\/)?[^/@?#]+))@(?<version>[^/@?#]+)(?:\?(?<qualifiers>[^#]*))?$/
const MOST = 1_000

/** Reads a package URL of the kinds that `packageUrl` and `npmPackageUrl` write; null for any other. */
export function parsePackageUrl(text: string): NamedPackage | null {
  const parts = text.length > MOST ? undefined : FORM.exec(text)?.groups
  if (parts === undefined) return null
  const [name, version] = [decode(parts['debian'] ?? parts['npm']), decode(parts['version'])]
  if (name === null || version === null) return null
  if (parts['debian'] === undefined) return { ecosystem: 'npm', name, version, architecture: null }
  const architecture = new URLSearchParams(parts['qualifiers']?.replaceAll('+', '%2B')).get('arch')
  return { ecosystem: 'debian', name, version, architecture }
}

function decode(text: string | undefined): string | null {
  try {
    return text === undefined ? null : decodeURIComponent(text)
  } catch {
    return null
  }
}
