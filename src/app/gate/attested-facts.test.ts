import { describe, expect, it } from 'vitest'
import { type AttestationsOf, attestedFacts } from './attested-facts.ts'
import { Policy } from './policy.ts'
import { digest, MANIFEST, NAME, POLICY, SIGNED } from './testing/passing.ts'

const policy = Policy.parse({
  ...POLICY,
  sources: { ...POLICY.sources, os: { ...POLICY.sources['app'], repository: 'https://git.example/os.git' } },
  osImages: { [digest('d')]: { pinned: 'by hand' }, [digest('e')]: { source: 'os' } },
})
const pinned = `${NAME}@sha256:${MANIFEST}`

/** Notes what was asked, and answers each with the same. */
function place(): { readonly asked: Parameters<AttestationsOf>[0][]; readonly attestationsOf: AttestationsOf } {
  const asked: Parameters<AttestationsOf>[0][] = []
  const attestationsOf: AttestationsOf = async (one) => {
    asked.push(one)
    return [SIGNED]
  }
  return { asked, attestationsOf }
}

describe('what is attested', () => {
  it('is asked once of each image and of the guest image, with the source that the policy has for it', async () => {
    const { asked, attestationsOf } = place()
    const images = [
      { service: 'one', image: pinned },
      { service: 'two', image: pinned },
      { service: 'tagged', image: `${NAME}:v1@sha256:${MANIFEST}` },
    ]
    expect(await attestedFacts(policy, { images, osImageHash: digest('e') }, attestationsOf)).toEqual({
      images: images.map(({ service }) => ({ service, name: NAME, digest: MANIFEST, attestations: [SIGNED] })),
      osImage: { hash: digest('e'), attestations: [SIGNED] },
    })
    expect(asked).toEqual([
      { digest: MANIFEST, image: NAME, source: policy.sources['app'] },
      { digest: digest('e'), image: null, source: policy.sources['os'] },
    ])
  })

  it.each([
    ['an image that the policy does not list', `registry.example/other@sha256:${MANIFEST}`],
    ['a look-alike', `registry.example/acme/app.evil@sha256:${MANIFEST}`],
    ['an image by its tag alone', `${NAME}:v1`],
    ['what every object has', `constructor@sha256:${MANIFEST}`],
    ['nothing', null],
  ])('is not asked of %s', async (_, image) => {
    const { asked, attestationsOf } = place()
    const facts = await attestedFacts(policy, { images: [{ service: null, image }], osImageHash: digest('d') }, attestationsOf)
    expect([asked, facts.images[0]?.attestations, facts.osImage?.attestations]).toEqual([[], [], []])
  })

  it('of one image is not taken for that of another of the same digest', async () => {
    const images = [pinned, `registry.example/other@sha256:${MANIFEST}`].map((image) => ({ service: image, image }))
    const facts = await attestedFacts(policy, { images, osImageHash: null }, place().attestationsOf)
    expect([facts.images.map(({ attestations }) => attestations.length), facts.osImage]).toEqual([[1, 0], null])
  })

  it('is asked of many, a few at once, and is not known where one cannot be asked', async () => {
    let [now, most] = [0, 0]
    const images = Array.from({ length: 30 }, (_, number) => ({
      service: `${number}`,
      image: `${NAME}@sha256:${number.toString(16).padStart(64, '0')}`,
    }))
    const slow: AttestationsOf = async () => {
      now += 1
      most = Math.max(most, now)
      await new Promise((resolve) => setImmediate(resolve))
      now -= 1
      return [SIGNED]
    }
    expect(
      (await attestedFacts(policy, { images, osImageHash: null }, slow)).images.every(({ attestations }) => attestations.length === 1),
    ).toBe(true)
    expect([most > 1, most <= 8]).toEqual([true, true])
    const broken = attestedFacts(policy, { images, osImageHash: null }, () => Promise.reject(new Error('away')))
    await expect(broken).rejects.toThrow('away')
  })
})
