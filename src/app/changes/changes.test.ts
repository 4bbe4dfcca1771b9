import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { packProof } from '../../../attestations/proof/pack-proof.ts'
import { MANIFEST, proofWorld } from '../../../attestations/proof/testing/proof-world.ts'
import { memoryBlobs } from '../../../verifier/builder/inputs/testing/memory-blobs.ts'
import { type TestTree, writeTar } from '../../../verifier/explain/testing/trees.ts'
import { sbom } from '../sbom.ts'
import { writeBuiltFolder } from '../testing/built-folder.ts'
import { changes } from './changes.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-changes-'))
})
afterEach(() => rm(folder, { recursive: true }))

const { signal } = new AbortController()
const at = (name: string): string => path.join(folder, name)
const status = (versions: Readonly<Record<string, string>>): string =>
  Object.entries(versions)
    .map(([name, version]) => `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n\n`)
    .join('')

async function compared(older: readonly string[], newer: readonly string[], artifact: string | null = null) {
  await mkdir(at('scratch'), { recursive: true })
  return await changes({ older, newer, artifact, blobs: memoryBlobs(), scratch: at('scratch'), signal })
}
const tar = (name: string, tree: TestTree): Promise<string> => writeTar(at(name), tree)

describe('changes', () => {
  it('tells packages and files of two tars, and which package a file is of', async () => {
    const info = { 'var/lib/dpkg/info/curl.list': '/usr/bin/curl\n' }
    const record = { 'var/lib/dpkg/info/gone:amd64.md5sums': 'x' }
    const older = await tar('a.tar', {
      'var/lib/dpkg/status': status({ curl: '1', gone: '1' }),
      ...info,
      ...record,
      'usr/bin/curl': 'old',
      'etc/app': 'x',
    })
    const newer = await tar('b.tar', { 'var/lib/dpkg/status': status({ curl: '2' }), ...info, 'usr/bin/curl': 'new', 'opt/new': '' })
    const found = await compared([older], [newer])
    expect(found).toMatchObject({ schema: 'bitwitness/changes/v1', verdict: 'changed', older, newer })
    expect(found.packages).toMatchObject({
      of: 'image',
      reason: null,
      totals: { added: 0, removed: 1, upgraded: 1, downgraded: 0, unlisted: 0 },
    })
    expect(found.files).toMatchObject({ compared: true, reason: null, totals: { added: 1, removed: 2, changed: 2, unlisted: 0 } })
    expect(found.files.changes.map((one) => [one.path, one.kind, one.package])).toEqual([
      ['etc/app', 'removed', null],
      ['opt/new', 'added', null],
      ['usr/bin/curl', 'changed', 'curl'],
      ['var/lib/dpkg/info/gone:amd64.md5sums', 'removed', 'gone'],
      ['var/lib/dpkg/status', 'changed', null],
    ])
  })

  it('says unchanged only where packages and files are', async () => {
    const tree = { 'var/lib/dpkg/status': status({ curl: '1' }) }
    const [older, newer] = [await tar('a.tar', tree), await tar('b.tar', tree)]
    expect((await compared([older], [newer])).verdict).toBe('unchanged')
    const bare = await tar('c.tar', { 'etc/x': '1' })
    const found = await compared([bare], [bare])
    expect([found.verdict, found.packages.of, found.packages.reason]).toEqual([
      'undecided',
      null,
      'the older image and the newer image: not known by a list of packages, and no lock on both sides',
    ])
  })

  it('reads a build folder, compressed tars and manifests as what they are', async () => {
    await writeBuiltFolder(folder)
    await execa('gzip', ['-k', at('image.tar')])
    const found = await compared([folder], [at('image.tar.gz')])
    expect([found.verdict, found.packages.of]).toEqual(['unchanged', 'image'])
    await writeFile(at('manifest'), 'bitwitness/tree-manifest/v1\n')
    expect((await compared([at('manifest')], [folder])).files.totals).toMatchObject({ added: 1 })
  })

  it('takes a bill of materials for the packages, and locks where there is no bill of both', async () => {
    await writeBuiltFolder(folder)
    await sbom({ folder, artifact: null, output: at('bill'), version: '0.1.0', signal })
    const billed = await compared([at('bill')], [folder])
    expect([billed.verdict, billed.packages.of, billed.files.compared]).toEqual(['undecided', 'image', false])
    const locked = await compared([at('inputs.lock.json')], [folder])
    expect([locked.verdict, locked.packages.of, locked.packages.totals.added]).toEqual(['undecided', 'inputs', 0])
    expect(locked.packages.reason).toBe('what is installed is not known of both')
    await writeFile(at('manifest'), 'bitwitness/tree-manifest/v1\n')
    const both = await compared([at('inputs.lock.json'), at('manifest')], [folder])
    expect([both.verdict, both.older]).toEqual(['changed', `${at('inputs.lock.json')} and 1 more`])
  })

  it('takes from a proof what it carries: tree manifest, bill of materials and lock', async () => {
    const { content, open } = await proofWorld()
    await writeFile(at('proof'), packProof(content, open).bytes)
    await writeFile(at('manifest'), MANIFEST)
    await writeFile(at('bill'), content.sbom ?? '')
    const same = await compared([at('proof')], [at('manifest'), at('bill')])
    expect([same.verdict, same.packages.of]).toEqual(['unchanged', 'image'])
    await writeFile(at('lock'), content.lock ?? '')
    expect((await compared([at('proof')], [at('lock')])).packages.of).toBe('inputs')
    expect((await compared([at('proof')], [at('manifest'), at('lock')], 'another artifact')).files.compared).toBe(false)
  })

  it.each<[string, string, () => Promise<readonly string[]>]>([
    ['what is nothing of the kind', 'image-description-unknown', async () => [await written('{"a":1}')]],
    ['bytes', 'image-description-unknown', async () => [await written('bytes')]],
    ['nothing at all', 'image-description-unknown', async () => [await written('')]],
    [
      'JSON that two parsers read differently',
      'json-duplicate-key',
      async () => [await written('{"bomFormat":"CycloneDX","bomFormat":"x"}')],
    ],
    ['a lock that was changed', 'input-lock-malformed', async () => [await written('{"schema":"bitwitness/input-lock/v1"}')]],
    ['a folder that no build wrote', 'build-folder-unreadable', () => Promise.resolve([folder])],
    ['what is not there', 'file-unreadable', () => Promise.resolve([at('absent')])],
    ['a device', 'file-unreadable', () => Promise.resolve(['/dev/zero'])],
    ['the same twice', 'image-described-twice', async () => [await written('{"bomFormat":"CycloneDX"}'), at('file')]],
    ['a manifest that is cut off', 'tree-manifest-malformed', async () => [await written('bitwitness/tree-manifest/v1\nf\t')]],
    ['what is no proof', 'proof-not-a-proof', async () => [await written(`./proof.json\0${'x'.repeat(2000)}`)]],
    ['nothing that both have', 'changes-not-comparable', async () => [await written('{"bomFormat":"CycloneDX"}')]],
  ])('refuses %s', async (_, code, older) => {
    await expect(compared(await older(), [await tar('b.tar', { 'etc/x': '1' })])).rejects.toMatchObject({ code })
  })

  async function written(text: string): Promise<string> {
    await writeFile(at('file'), text)
    return at('file')
  }
})
