import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sbomOf } from '../../attestations/sbom/sbom.ts'
import { digest } from '../../attestations/testing/arbitrary-report.ts'
import { goldenReport, nondeterministicReport } from '../../attestations/testing/reports.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { readSbom } from './read-sbom.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-bill-'))
})
afterEach(() => rm(folder, { recursive: true }))

const { signal } = new AbortController()
const BUILT = Sha256.parse('c7c5c1d70c5dec4416ab6158afd0b223ef40c29b1dc1f97ed9428b94d4cadb1c')

async function bill(sha256: Sha256, change: (text: string) => string = (text) => text): Promise<string> {
  const packages = { system: null, debian: [], npm: [] }
  const file = path.join(folder, 'bill.json')
  await writeFile(file, change(sbomOf({ image: { name: 'x', sha256, ociManifest: null }, packages, lock: null, created: 0, version: '1' })))
  return file
}

describe('readSbom', () => {
  it('names the image as the report does', async () => {
    const report = goldenReport('reproduced')
    expect((await readSbom(await bill(BUILT), report, signal)).image).toEqual({
      name: 'image.tar',
      sha256: BUILT,
      ociManifest: report.claims[1]?.sha256,
    })
  })

  it('knows no image of attempts that disagree, whichever of them built it', async () => {
    for (const sha256 of [BUILT, digest('7')])
      await expect(readSbom(await bill(sha256), nondeterministicReport(), signal)).rejects.toMatchObject({ code: 'sbom-of-another-image' })
  })

  it('knows no image without canonical form', async () => {
    const report = goldenReport('reproduced')
    const attempts = report.attempts.map((one) => ({ ...one, artifacts: one.artifacts.map((each) => ({ ...each, notComparable: 'x' })) }))
    await expect(readSbom(await bill(BUILT), { ...report, attempts }, signal)).rejects.toMatchObject({ code: 'sbom-of-another-image' })
  })

  it.each([
    ['another format', 'sbom-malformed', (text: string) => text.replace('CycloneDX', 'SPDX')],
    ['no digest of the image', 'sbom-malformed', (text: string) => text.replace(/"hashes": \[[^\]]*\]/, '"hashes": []')],
    ['another kind of digest', 'sbom-malformed', (text: string) => text.replace('SHA-256', 'SHA-512')],
    [
      'two digests, of which only the first is looked at',
      'sbom-malformed',
      (text: string) => text.replace(/("hashes": \[)(\s*\{[^}]*\})/, '$1$2,$2'),
    ],
    ['a key twice', 'json-duplicate-key', (text: string) => text.replace('{', '{"bomFormat":"CycloneDX",')],
  ])('takes no bill with %s', async (_, code, change) => {
    await expect(readSbom(await bill(BUILT, change), goldenReport('reproduced'), signal)).rejects.toMatchObject({ code })
  })
})
