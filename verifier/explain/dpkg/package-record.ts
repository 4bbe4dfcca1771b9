/** dpkg's own records of one package, and the folder where every package documents its changes. */
const RECORD =
  /^(?:var\/lib\/dpkg\/info\/([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?\.[a-z0-9]+|usr\/share\/doc\/([a-z0-9][a-z0-9+.-]*)(?:\/.*)?)$/s

/** Name of the package that a path (one character a byte) is a record of, whether its database says so or not. */
export function recordedPackage(path: string): string | null {
  const match = RECORD.exec(path)
  return match?.[1] ?? match?.[2] ?? null
}
