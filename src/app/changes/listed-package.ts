/** A package of an image or of a lock, as a list names it. */
export type ListedPackage = {
  readonly ecosystem: 'debian' | 'npm'
  readonly name: string
  /** Null where the ecosystem has none. */
  readonly architecture: string | null
  readonly version: string
}
