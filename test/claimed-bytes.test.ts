import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { claimedLocation, claimsOf } from '../src/app/claimed-location.ts'
import { bringClaimed, bringStrangersClaimed, requireUsable } from '../src/claimed-bytes.ts'
import { readSettings } from '../src/config/settings.ts'
import { sourceAccess } from '../src/config/source-access.ts'
import { downloadRules } from '../src/download/rules.ts'
import { digestOf, FakeRegistry } from '../src/registry/testing/fake-registry.ts'
import type { Claim } from '../verifier/model/claim.ts'
import { Sha256 } from '../verifier/model/digest.ts'
import { OCI_CONFIG, OCI_MANIFEST } from '../verifier/model/oci-types.ts'

const layers = [Buffer.from('the first'), Buffer.from('the second')]
const config = Buffer.from('{}')
const hex = 'ab'.repeat(32)
const settings = readSettings({ DOCKER_CONFIG: '/nonexistent' })
const rules = downloadRules(sourceAccess(settings.sources), { maxBytes: 1 << 20, seconds: 60 })

let folder: string
let fake: FakeRegistry
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-claimed-bytes-'))
  fake = await FakeRegistry.start()
})
afterEach(async () => {
  await fake[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

function image(count: number): string {
  const descriptor = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: digestOf(bytes), size: bytes.length })
  const used = layers.slice(0, count)
  for (const bytes of [config, ...used]) fake.blobs.set(digestOf(bytes), bytes)
  const tar = (bytes: Buffer) => descriptor('application/vnd.oci.image.layer.v1.tar', bytes)
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: descriptor(OCI_CONFIG, config), layers: used.map(tar) }),
  )
  fake.manifests.set(digestOf(bytes), { mediaType: OCI_MANIFEST, bytes })
  return `docker://${fake.host}/owner/app@${digestOf(bytes)}`
}

const fetch = (location: string, kind: Claim['kind']) =>
  bringClaimed({ location, kind, folder, signal: new AbortController().signal }, settings, rules)

describe('claimed bytes in a registry', () => {
  it('are a layout for a claim on the image, and its one layer for a claim on a file', async () => {
    const layout = await fetch(image(1), 'oci-manifest')
    expect(JSON.parse(await readFile(path.join(layout, 'oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' })
    await rm(layout, { recursive: true })
    expect((await readFile(await fetch(image(1), 'file'))).equals(layers[0] ?? Buffer.alloc(0))).toBe(true)
  })

  it('are no file where there are several layers', async () => {
    await expect(fetch(image(2), 'file')).rejects.toMatchObject({ code: 'claimed-image-layers' })
  })
})

describe('claimed bytes of a stranger', () => {
  const strangers = (location: string) =>
    bringStrangersClaimed({ location, kind: 'oci-manifest', folder, signal: new AbortController().signal }, settings, rules)

  it('are no file of this machine', async () => {
    for (const location of ['/etc/passwd', './x.tar', 'file:///etc/passwd', '//host/x', 'ghcr.io/owner/app'])
      await expect(strangers(location)).rejects.toMatchObject({ code: 'claimed-local-refused', audience: 'caller' })
  })

  it('come from no private address, whether by URL or as an image', async () => {
    await expect(strangers(image(1))).rejects.toMatchObject({ code: 'registry-unreachable' })
    for (const host of ['127.0.0.1', '[::1]', '169.254.169.254', '10.0.0.1'])
      await expect(strangers(`https://${host}/x`)).rejects.toMatchObject({ code: 'download-host-private' })
    expect([...fake.requests('GET'), ...fake.requests('HEAD')]).toEqual([])
  })
})

describe('where claimed bytes are', () => {
  it.each([
    ['https://host.example/x.tar', 'url'],
    ['HTTP://host.example/x.tar', 'url'],
    ['./x.tar', 'file'],
    ['ghcr.io/owner/app', 'file'],
    [`ghcr.io/owner/app@sha256:${hex}`, 'image'],
    [`docker://ghcr.io/owner/app@sha256:${hex}`, 'image'],
    [`oci://app:v1@sha256:${hex}`, 'image'],
  ])('%s is told by how it is written', (text, kind) => {
    expect(claimedLocation(text).kind).toBe(kind)
  })

  it('is told before anything is built', async () => {
    await requireUsable(`ghcr.io/owner/app@sha256:${hex}`, rules)
    await expect(requireUsable(path.join(folder, 'absent'), rules)).rejects.toMatchObject({ code: 'claimed-unreadable' })
    await expect(requireUsable('docker://ghcr.io/owner/app:latest', rules)).rejects.toMatchObject({ code: 'image-digest-missing' })
    await expect(requireUsable('http://host.example/x', rules)).rejects.toMatchObject({ code: 'download-plain-http' })
  })
})

describe('what is claimed', () => {
  const said: Claim = { kind: 'file', name: null, sha256: Sha256.parse('cd'.repeat(32)), location: null }
  const claimed = `ghcr.io/owner/app@sha256:${hex}`
  const derived = { kind: 'oci-manifest', name: null, sha256: hex, location: claimed }

  it('is what was said, and the image that was given', () => {
    expect(claimsOf([said], null)).toEqual([said])
    expect(claimsOf([said], './x.tar')).toEqual([said])
    expect(claimsOf([said], claimed)).toEqual([said, derived])
    expect(claimsOf([], claimed)).toEqual([derived])
    const same: Claim = { ...said, kind: 'oci-manifest', sha256: Sha256.parse(hex) }
    expect(claimsOf([same], claimed)).toEqual([same])
    expect(() => claimsOf([], './x.tar')).toThrow(expect.objectContaining({ code: 'claim-missing' }))
  })
})
