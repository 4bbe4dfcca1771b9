/** A package of the image's dpkg database. */
export type InstalledPackage = { readonly name: string; readonly architecture: string; readonly version: string }

/** Tells one package from all others: Debian has a space in none of the three. */
export function packageKey({ name, version, architecture }: InstalledPackage): string {
  return `${name} ${version} ${architecture}`
}

/** A package below a `node_modules` that no Debian package owns, as its own `package.json` calls it. */
export type NpmPackage = {
  readonly name: string
  readonly version: string
  /** Where its `package.json` lies, as the tree manifest writes paths; one of several, the first in their order. */
  readonly path: string
}

/** What an image says that it consists of. */
export type ImagePackages = {
  /** `ID` and `VERSION_ID` of its os-release; null where it has none. */
  readonly system: { readonly id: string; readonly version: string | null } | null
  /** By name and architecture. */
  readonly debian: readonly InstalledPackage[]
  /** Each name and version once, by name and version. */
  readonly npm: readonly NpmPackage[]
}
