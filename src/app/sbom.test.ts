import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import type { BuildManifest } from '../../verifier/model/build-manifest.ts'
import { sbom } from './sbom.ts'
import { writeBuiltFolder } from './testing/built-folder.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-sbom-'))
})
afterEach(() => rm(folder, { recursive: true }))

const { signal } = new AbortController()
const built = (change?: (manifest: BuildManifest) => unknown): Promise<BuildManifest> => writeBuiltFolder(folder, change)
const run = (o: { artifact?: string; output?: string } = {}) =>
  sbom({ folder, artifact: o.artifact ?? null, output: o.output ?? null, version: '0.1.0', signal })

describe('sbom', () => {
  it('writes the bill beside the image and says how much of it the lock vouches for', async () => {
    const { artifacts } = await built()
    const written = await run()
    const file = path.join(folder, 'image.tar.cdx.json')
    expect(written).toEqual({
      schema: 'bitwitness/sbom/v1',
      verdict: 'written',
      file,
      sha256: digestOf(await readFile(file)),
      image: { name: 'image.tar', sha256: artifacts[0]?.sha256, ociManifest: null },
      packages: { debian: 2, unlocked: 1, npm: 0 },
    })
    expect((await readdir(folder)).toSorted()).toEqual(['build-manifest.json', 'image.tar', 'image.tar.cdx.json', 'inputs.lock.json'])
  })

  it('writes the same bytes again', async () => {
    await built()
    expect((await run({ output: path.join(folder, 'a') })).sha256).toBe((await run({ output: path.join(folder, 'b') })).sha256)
  })

  it.each<[string, string, (manifest: BuildManifest) => unknown]>([
    ['an artifact that was changed', 'artifact-differs', (one) => ({ ...one, artifacts: one.artifacts.map((each) => ({ ...each, sha256: digestOf('other') })) })],
    ['an artifact that is gone', 'build-folder-unreadable', (one) => ({ ...one, artifacts: one.artifacts.map((each) => ({ ...each, file: 'gone.tar' })) })],
    ['a lock that was changed', 'lock-differs', (one) => ({ ...one, lock: { ...one.lock, sha256: digestOf('other') } })],
    ['a lock that is gone', 'build-folder-unreadable', (one) => ({ ...one, lock: { ...one.lock, file: 'gone.json' } })],
    ['a file outside the folder', 'build-manifest-malformed', (one) => ({ ...one, artifacts: one.artifacts.map((each) => ({ ...each, file: '../image.tar' })) })],
    ['an artifact whose name leads out of the folder', 'build-manifest-malformed', (one) => ({ ...one, artifacts: one.artifacts.map((each) => ({ ...each, name: '../image' })) })],
    ['a lock outside the folder', 'build-manifest-malformed', (one) => ({ ...one, lock: { ...one.lock, file: '/etc/passwd' } })],
    ['a manifest of another version', 'build-manifest-malformed', (one) => ({ ...one, schema: 'bitwitness/build-manifest/v2' })],
    ['no artifacts', 'artifact-unknown', (one) => ({ ...one, artifacts: [] })],
    ['an image that is no tree', 'artifact-unknown', (one) => ({ ...one, artifacts: one.artifacts.map((each) => ({ ...each, format: 'disk' })) })],
    ['two trees, and none named', 'artifact-unknown', (one) => ({ ...one, artifacts: [...one.artifacts, ...one.artifacts.map((each) => ({ ...each, name: 'other.tar' }))] })],
  ])('writes nothing of a folder with %s', async (_, code, change) => {
    await built(change)
    await expect(run()).rejects.toMatchObject({ code })
    expect((await readdir(folder)).toSorted()).toEqual(['build-manifest.json', 'image.tar', 'inputs.lock.json'])
  }) // biome-ignore format: one a line

  it.each(['build-manifest.json', 'inputs.lock.json', 'image.tar'])('reads no pipe or device in the place of %s', async (name) => {
    await built()
    for (const replace of [symlink.bind(null, '/dev/zero'), async (file: string) => void (await execa('mkfifo', [file]))]) {
      await rm(path.join(folder, name))
      await replace(path.join(folder, name))
      await expect(run()).rejects.toMatchObject({ code: 'build-folder-unreadable' })
    }
  })

  it('takes one of two trees by its name', async () => {
    await built((one) => ({ ...one, artifacts: [...one.artifacts, ...one.artifacts.map((each) => ({ ...each, name: 'other.tar' }))] }))
    expect((await run({ artifact: 'other.tar' })).image.name).toBe('other.tar')
    await expect(run({ artifact: 'third.tar' })).rejects.toMatchObject({ code: 'artifact-unknown' })
  })

  it('says that a folder is none that a build wrote, and that the file cannot be written', async () => {
    await expect(run()).rejects.toMatchObject({ code: 'build-folder-unreadable' })
    await built()
    await expect(run({ output: path.join(folder, 'absent', 'file') })).rejects.toMatchObject({ code: 'sbom-unwritten' })
  })

  it('goes by no lock where the build had none', async () => {
    await built((one) => ({ ...one, lock: null }))
    expect((await run()).packages).toEqual({ debian: 2, unlocked: 2, npm: 0 })
  })
})
