import path from 'node:path'
import { Version } from '@cyclonedx/cyclonedx-library/Spec'
import { JsonStrictValidator } from '@cyclonedx/cyclonedx-library/Validation'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ImagePackages } from '../../verifier/model/image-packages.ts'
import type { Input } from '../../verifier/model/lock.ts'
import { decodeStatement } from '../statement/decode.ts'
import { encodeStatement } from '../statement/encode.ts'
import { digest } from '../testing/arbitrary-report.ts'
import { sbomOf } from './sbom.ts'
import type { SbomInput } from './sbom-input.ts'
import { sbomStatement } from './statement.ts'

const curl = { name: 'curl', version: '7.88.1-10+deb12u8', architecture: 'amd64' }
const own = { name: 'own-tool', version: '1.0', architecture: 'all' }
const input: Input = {
  kind: 'package',
  archive: 'debian',
  path: 'pool/main/c/curl/curl_7.88.1-10+deb12u8_amd64.deb',
  sha256: digest('c'),
  size: 1,
  ...curl,
}
const packages: ImagePackages = {
  system: { id: 'debian', version: '12' },
  debian: [curl, own],
  npm: [
    { name: '@scope/x', version: '1.0.0', path: 'opt/app/node_modules/@scope/x/package.json' },
    { name: 'express', version: '4.21.2', path: 'opt/app/node_modules/express/package.json' },
  ],
}
const given: SbomInput = {
  image: { name: 'image.tar', sha256: digest('a'), ociManifest: digest('b') },
  packages,
  lock: {
    sha256: digest('d'),
    lock: { schema: 'bitwitness/input-lock/v1', architecture: 'amd64', snapshot: null, inputs: [input], absent: [] },
  },
  created: 1701475200,
  version: '0.1.0',
}

type Read = {
  readonly serialNumber: string
  readonly components: readonly { readonly name: string; readonly hashes?: unknown; readonly properties?: unknown }[]
}
const read = (text: string): Read => JSON.parse(text) as Read

describe('sbomOf', () => {
  it('is as agreed, and CycloneDX by its own schema', async () => {
    const text = sbomOf(given)
    await expect(text).toMatchFileSnapshot(path.join(import.meta.dirname, '../testdata/image.cdx.json'))
    expect(await new JsonStrictValidator(Version.v1dot7).validate(text)).toBe(null)
  })

  it('would be found out if it were not', async () => {
    const broken = sbomOf(given).replace('"library"', '"a library"')
    expect(await new JsonStrictValidator(Version.v1dot7).validate(broken)).not.toBe(null)
  })

  it('gives the digest of the lock to the very package that is installed, and to no other', () => {
    const hashes = (debian: ImagePackages['debian']): unknown =>
      read(sbomOf({ ...given, packages: { ...packages, system: null, debian, npm: [] } })).components.map((one) => one.hashes)
    expect(hashes([curl])).toEqual([[{ alg: 'SHA-256', content: digest('c') }]])
    for (const other of [
      { ...curl, version: '7.88.1-10+deb12u9' },
      { ...curl, architecture: 'arm64' },
      { ...curl, name: 'curl2' },
    ])
      expect(hashes([other])).toEqual([undefined])
  })

  it('says nothing of what depends on what', () => {
    expect(Object.keys(read(sbomOf(given)))).toEqual([
      '$schema',
      'bomFormat',
      'specVersion',
      'version',
      'metadata',
      'components',
      'serialNumber',
    ])
  })

  it('is valid for an image of nothing, without release, manifest and lock', async () => {
    const bare = sbomOf({
      ...given,
      image: { ...given.image, ociManifest: null },
      packages: { system: null, debian: [], npm: [] },
      lock: null,
    })
    expect(await new JsonStrictValidator(Version.v1dot7).validate(bare)).toBe(null)
    expect(read(bare).components).toEqual([])
  })

  it('is valid, and its serial number its own, whatever is installed', async () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '0', '1', '+', '.', '-', '~', ':'), minLength: 1, maxLength: 12 })
    const debian = fc.uniqueArray(fc.record({ name: word, version: word, architecture: fc.constantFrom('amd64', 'all') }), {
      selector: (one) => JSON.stringify(one),
      maxLength: 5,
    })
    const validator = new JsonStrictValidator(Version.v1dot7)
    const seen = new Map<string, string>()
    await fc.assert(
      fc.asyncProperty(debian, async (installed) => {
        const text = sbomOf({ ...given, packages: { ...packages, debian: installed } })
        expect(sbomOf({ ...given, packages: { ...packages, debian: installed } })).toBe(text)
        expect(await validator.validate(text)).toBe(null)
        const { serialNumber } = read(text)
        expect(serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        expect(seen.get(serialNumber) ?? text).toBe(text)
        seen.set(serialNumber, text)
      }),
      { numRuns: 60 },
    )
    expect(seen.size).toBeGreaterThan(20)
  })
})

describe('sbomStatement', () => {
  it('has the bill for its predicate and the image for its subjects', () => {
    const text = sbomOf(given)
    const statement = sbomStatement(given.image, text)
    expect(statement).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [
        { name: 'image.tar', digest: { sha256: digest('a') } },
        { name: 'image.tar.oci', digest: { sha256: digest('b') } },
      ],
      predicateType: 'https://cyclonedx.org/bom',
      predicate: read(text),
    })
    expect(decodeStatement(encodeStatement(statement))).toEqual(statement)
  })

  it('is about the file alone where there is no image manifest', () => {
    expect(sbomStatement({ ...given.image, ociManifest: null }, sbomOf(given)).subject).toHaveLength(1)
  })
})
