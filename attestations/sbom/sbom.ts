import { createHash } from 'node:crypto'
import { Bom, Metadata } from '@cyclonedx/cyclonedx-library/Models'
import { JSON as CycloneDx } from '@cyclonedx/cyclonedx-library/Serialize'
import { Spec1dot7 } from '@cyclonedx/cyclonedx-library/Spec'
import { debianComponents, imageComponent, npmComponents, systemComponents, toolComponent } from './components.ts'
import type { SbomInput } from './sbom-input.ts'

/**
 * The bill of materials of an image: CycloneDX 1.7 as JSON text. Equal inputs give equal bytes: lists are in our order, since the
 * library's follows the locale, and the serial number follows from the content. There is no dependency graph in it: the database's
 * relations are alternatives and virtual names, and the library's empty graph would say that no package depends on another.
 */
export function sbomOf(input: SbomInput): string {
  const { image, packages, lock, created, version } = input
  const bom = new Bom({
    metadata: new Metadata({ timestamp: new Date(created * 1000), component: imageComponent(image, lock?.sha256 ?? null) }),
  })
  bom.metadata.tools.components.add(toolComponent(version))
  const inputs = lock?.lock.inputs ?? []
  for (const component of [...systemComponents(packages.system), ...debianComponents(packages, inputs), ...npmComponents(packages.npm)])
    bom.components.add(component)
  const {
    serialNumber: _none,
    dependencies: _unknown,
    ...said
  } = new CycloneDx.Normalize.Factory(Spec1dot7).makeForBom().normalize(bom, { sortLists: false })
  return `${JSON.stringify({ ...said, serialNumber: serialNumber(JSON.stringify(said)) }, null, 2)}\n`
}

/** A UUID of version 8 (RFC 9562): the first 122 bits of a sha256. */
function serialNumber(content: string): string {
  const hash = createHash('sha256').update(content).digest()
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = hash.toString('hex')
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
}
