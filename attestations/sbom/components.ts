import { ComponentType, HashAlgorithm } from '@cyclonedx/cyclonedx-library/Enums'
import { Component, HashDictionary, Property, PropertyRepository } from '@cyclonedx/cyclonedx-library/Models'
import { type Sha256, withPrefix } from '../../verifier/model/digest.ts'
import { type ImagePackages, packageKey } from '../../verifier/model/image-packages.ts'
import type { Input } from '../../verifier/model/lock.ts'
import { npmPackageUrl, packageUrl } from '../statement/package-url.ts'
import type { SbomInput } from './sbom-input.ts'

/** What the bill is about: an image of containers where one is packed from it, else the tree of a system. */
export function imageComponent({ name, sha256, ociManifest }: SbomInput['image'], lock: Sha256 | null): Component {
  const type = ociManifest === null ? ComponentType.OperatingSystem : ComponentType.Container
  return new Component(type, name, {
    bomRef: withPrefix(sha256),
    version: withPrefix(ociManifest ?? sha256),
    hashes: sha256Of(sha256),
    properties: properties({
      'bitwitness:oci-manifest': ociManifest === null ? null : withPrefix(ociManifest),
      'bitwitness:input-lock': lock === null ? null : withPrefix(lock),
    }),
  })
}

export function toolComponent(version: string): Component {
  return new Component(ComponentType.Application, 'bitwitness', { version })
}

/** Scanners look for the release in a component of this type. */
export function systemComponents(system: ImagePackages['system']): Component[] {
  if (system === null) return []
  const { id, version } = system
  return [new Component(ComponentType.OperatingSystem, id, { bomRef: `os:${id}`, ...(version === null ? {} : { version }) })]
}

/** Installed packages, each with the digest of the package file that the build took from the network. */
export function debianComponents({ debian, system }: ImagePackages, inputs: readonly Input[]): Component[] {
  const taken = new Map(inputs.flatMap((input) => (input.kind === 'package' ? [[packageKey(input), input] as const] : [])))
  const distro = system?.id === 'debian' && system.version !== null ? `debian-${system.version}` : null
  return debian.map((one) => {
    const purl = packageUrl(one, distro)
    const input = taken.get(packageKey(one))
    // A package of the recipe's own, or one that a script put there: nothing that we saw vouches for its bytes.
    const origin = input === undefined ? 'not in the input lock' : `${input.archive}/${input.path}`
    return new Component(ComponentType.Library, one.name, {
      bomRef: purl,
      version: one.version,
      purl,
      ...(input === undefined ? {} : { hashes: sha256Of(input.sha256) }),
      properties: properties({ 'bitwitness:origin': origin }),
    })
  })
}

/** Without digests: the package file that these came from is not in the image, and what lies there may have been changed. */
export function npmComponents(npm: ImagePackages['npm']): Component[] {
  return npm.map((one) => {
    const purl = npmPackageUrl(one)
    const scope = one.name.includes('/') ? one.name.slice(0, one.name.indexOf('/')) : null
    return new Component(ComponentType.Library, scope === null ? one.name : one.name.slice(scope.length + 1), {
      bomRef: purl,
      ...(scope === null ? {} : { group: scope }),
      version: one.version,
      purl,
      properties: properties({ 'bitwitness:path': one.path }),
    })
  })
}

function sha256Of(sha256: Sha256): HashDictionary {
  return new HashDictionary([[HashAlgorithm['SHA-256'], sha256]])
}

function properties(values: Readonly<Record<string, string | null>>): PropertyRepository {
  return new PropertyRepository(Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [new Property(name, value)])))
}
