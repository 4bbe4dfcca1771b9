import { expect, it } from 'vitest'
import { Failure } from '../../../verifier/model/failure.ts'
import { parsePinnedReference } from '../../../verifier/model/image-reference.ts'
import { bundlesBeside } from './beside-image.ts'
import { MANIFEST, NAME } from './testing/passing.ts'

const image = parsePinnedReference(`${NAME}@sha256:${MANIFEST}`)
const { signal } = new AbortController()
const failing = (error: unknown) => bundlesBeside({ bundlesOf: () => Promise.reject(error) }, image, signal)

it('gives what lies beside an image', async () => {
  const bundles = [Uint8Array.of(1)]
  const ports = { bundlesOf: async () => await Promise.resolve({ bundles, skipped: [], truncated: false }) }
  expect(await bundlesBeside(ports, image, signal)).toBe(bundles)
})

it('names the image whose registry cannot be asked, and the way past it', async () => {
  const code = 'registry-unreachable'
  const away = new Failure({ code, message: 'it is away', hint: 'look at the network', data: { reason: 'slow' }, retryable: true })
  await expect(failing(away)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(`${NAME}@sha256:${MANIFEST}`),
    hint: expect.stringMatching(/^look at the network; .*--bundle/),
    data: { reason: 'slow' },
    retryable: true,
  })
})

it('leaves other failures as they are', async () => {
  const other = new Failure({ code: 'cancelled', message: 'it was cancelled', hint: 'run it again' })
  await expect(failing(other)).rejects.toBe(other)
})
