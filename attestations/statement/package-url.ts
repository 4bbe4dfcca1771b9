/** Name, version and architecture of a Debian package, as its index states them. */
export type DebianPackage = { readonly name: string; readonly version: string; readonly architecture: string }

/**
 * Package URL of a Debian package (purl-spec, types/deb-definition): `pkg:deb/debian/curl@7.88.1-10%2Bdeb12u8?arch=amd64`, with
 * `&distro=debian-12` where the release is known.
 */
export function packageUrl({ name, version, architecture }: DebianPackage, distro: string | null = null): string {
  const release = distro === null ? '' : `&distro=${encode(distro)}`
  return `pkg:deb/debian/${encode(name)}@${encode(version)}?arch=${encode(architecture)}${release}`
}

/** Package URL of an npm package, scope included: `pkg:npm/%40scope/name@1.0.0`. */
export function npmPackageUrl({ name, version }: { readonly name: string; readonly version: string }): string {
  return `pkg:npm/${name.split('/').map(encode).join('/')}@${encode(version)}`
}

/** purl leaves the colon as it is, and encodes what `encodeURIComponent` leaves but for `.-_~`. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%3A', ':')
}
