/** Name, version and architecture of a Debian package, as its index states them. */
export type DebianPackage = { readonly name: string; readonly version: string; readonly architecture: string }

/** Package URL of a Debian package (purl-spec, types/deb-definition): `pkg:deb/debian/curl@7.88.1-10%2Bdeb12u8?arch=amd64`. */
export function packageUrl({ name, version, architecture }: DebianPackage): string {
  return `pkg:deb/debian/${encode(name)}@${encode(version)}?arch=${encode(architecture)}`
}

/** purl leaves the colon as it is, and encodes what `encodeURIComponent` leaves but for `.-_~`. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%3A', ':')
}
