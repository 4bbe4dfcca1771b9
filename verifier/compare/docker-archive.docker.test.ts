import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { canonicaliseTar } from './canonicalise.ts'
import { dockerArchive } from './docker-archive.ts'
import { packOci } from './oci-image.ts'
import { MemoryBlobs, scratchFolder } from './testing/canonical.ts'
import { FULL_CONFIG } from './testing/image.ts'
import { gnuTar, MKOSI_TAR, makeTree } from './testing/real-tree.ts'

test("the engine loads an image under the digest of its config, twice the same, with our layer's diff_id", async () => {
  await using scratch = await scratchFolder()
  await makeTree(scratch.at('tree'))
  await gnuTar(MKOSI_TAR, scratch.at('tree'), scratch.at('plain.tar'))
  const { canonical } = await canonicaliseTar({ input: scratch.at('plain.tar'), output: scratch.at('layer.tar'), blobs: new MemoryBlobs() })
  const tag = `bitwitness-test/archive:${randomUUID()}`
  // A label of its own: the image must not be there already.
  const config = { ...FULL_CONFIG, labels: { test: tag } }
  const image = packOci({ layer: canonical, created: 1700000000, architecture: 'amd64', config })
  const id = `sha256:${image.config.sha256}`
  for (let time = 1; time <= 2; time += 1) {
    await execa('docker', ['load', '--quiet'], { input: Readable.from(dockerArchive(image, scratch.at('layer.tar'), tag)) })
    try {
      const { stdout } = await execa('docker', ['image', 'inspect', '--', tag])
      const [loaded] = JSON.parse(stdout) as [Record<string, unknown>]
      expect(loaded).toMatchObject({
        Id: id,
        Created: '2023-11-14T22:13:20Z',
        Architecture: 'amd64',
        RootFS: { Layers: [`sha256:${canonical.sha256}`] },
        Config: {
          User: '1000:1000',
          Env: FULL_CONFIG.env,
          Cmd: FULL_CONFIG.cmd,
          Entrypoint: FULL_CONFIG.entrypoint,
          WorkingDir: '/app',
          ExposedPorts: { '3000/tcp': {} },
          Labels: { test: tag },
        },
      })
    } finally {
      await execa('docker', ['image', 'rm', '--', tag])
    }
  }
})

test('the engine loads an image without a name', async () => {
  await using scratch = await scratchFolder()
  await makeTree(scratch.at('tree'))
  await gnuTar(MKOSI_TAR, scratch.at('tree'), scratch.at('plain.tar'))
  const { canonical } = await canonicaliseTar({ input: scratch.at('plain.tar'), output: scratch.at('layer.tar'), blobs: new MemoryBlobs() })
  const image = packOci({ layer: canonical, created: 0, architecture: 'amd64', config: { ...FULL_CONFIG, labels: { test: randomUUID() } } })
  const { stdout } = await execa('docker', ['load'], { input: Readable.from(dockerArchive(image, scratch.at('layer.tar'))) })
  expect(stdout).toContain(`sha256:${image.config.sha256}`)
  await execa('docker', ['image', 'rm', '--', `sha256:${image.config.sha256}`])
})
