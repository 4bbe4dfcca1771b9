import { describe, expect, test } from 'vitest'
import { decideVerification } from '../model/verdict.ts'
import { compareAttempts, compareWithClaims } from './judge.ts'
import { artifact, attempt, claim, digest } from './testing/image.ts'

const a = digest('a')
const b = digest('b')
const c = digest('c')
const d = digest('d')

describe('attempts against each other', () => {
  test('are equal where every artifact is', () => {
    const compared = compareAttempts(
      [1, 2, 3].map((number) => attempt(number, [artifact({ sha256: a }), artifact({ name: 'boot.efi', sha256: b })])),
    )
    expect(compared.map(({ left, right, result, tier }) => [left.attempt, right?.attempt, left.artifact, result, tier])).toEqual([
      [1, 2, 'image.tar', 'equal', 'bit-exact'],
      [1, 2, 'boot.efi', 'equal', 'bit-exact'],
      [1, 3, 'image.tar', 'equal', 'bit-exact'],
      [1, 3, 'boot.efi', 'equal', 'bit-exact'],
    ])
  })

  test('differ by digest, and by the image packed from equal files', () => {
    const image = (manifest: typeof a) => artifact({ sha256: a, oci: { manifest, config: c, layer: a } })
    expect(compareAttempts([attempt(1, [artifact({ sha256: a })]), attempt(2, [artifact({ sha256: b })])])).toEqual([
      {
        claim: null,
        left: { attempt: 1, artifact: 'image.tar', sha256: a },
        right: { attempt: 2, artifact: 'image.tar', sha256: b },
        result: 'different',
        tier: null,
        transformations: [],
        reason: null,
      },
    ])
    expect(compareAttempts([attempt(1, [image(b)]), attempt(2, [image(d)])])[0]).toMatchObject({
      result: 'different',
      reason: expect.stringContaining('images'),
    })
    expect(compareAttempts([attempt(1, [image(b)]), attempt(2, [artifact({ sha256: a })])])[0]).toMatchObject({ result: 'different' })
  })

  test('miss an artifact on either side', () => {
    const [one, two] = [attempt(1, [artifact({ sha256: a })]), attempt(2, [])]
    expect(compareAttempts([one, two])[0]).toMatchObject({
      left: { attempt: 1 },
      right: null,
      result: 'missing',
      reason: 'attempt 2 has no image.tar',
    })
    expect(
      compareAttempts([
        { ...two, number: 1 },
        { ...one, number: 2 },
      ])[0],
    ).toMatchObject({ left: { attempt: 2 }, result: 'missing' })
  })

  test('that canonical form refused are not comparable, be their bytes equal or not', () => {
    const refused = artifact({ sha256: a, notComparable: 'tar-path-duplicate' })
    expect(compareAttempts([attempt(1, [refused]), attempt(2, [refused])])[0]).toMatchObject({
      result: 'not-comparable',
      tier: null,
      reason: 'tar-path-duplicate',
    })
  })

  test('that were not built are left out', () => {
    expect(compareAttempts([attempt(1, [], 'build-failed'), attempt(2, [artifact({ sha256: a })])])).toEqual([])
  })
})

describe('claims against attempts', () => {
  const two = [1, 2].map((number) => attempt(number, [artifact({ sha256: a, oci: { manifest: b, config: c, layer: a } })]))

  test('hold for every attempt on the file and on the image', () => {
    const compared = compareWithClaims([claim(a), claim(b, { kind: 'oci-manifest' })], two)
    expect(compared.map((one) => [one.claim, one.left.attempt, one.left.sha256, one.result, one.tier])).toEqual([
      [0, 1, a, 'equal', 'bit-exact'],
      [0, 2, a, 'equal', 'bit-exact'],
      [1, 1, b, 'equal', 'bit-exact'],
      [1, 2, b, 'equal', 'bit-exact'],
    ])
  })

  test('never hold across kinds', () => {
    const crossed = compareWithClaims([claim(b), claim(a, { kind: 'oci-manifest' }), claim(c), claim(c, { kind: 'oci-manifest' })], two)
    expect(new Set(crossed.map((one) => one.result))).toEqual(new Set(['different']))
  })

  test('hold for the very bytes that mkosi wrote', () => {
    const written = { name: 'image.tar', sha256: d, size: 1, compression: 'none' as const }
    const [one] = compareWithClaims([claim(d)], [attempt(1, [artifact({ sha256: a, written })])])
    expect(one).toMatchObject({ left: { sha256: d }, result: 'equal', tier: 'bit-exact' })
  })

  test('with a name hold for that artifact only', () => {
    const several = [attempt(1, [artifact({ name: 'x.tar', sha256: a }), artifact({ name: 'y.tar', sha256: b })])]
    const named = (name: string) => compareWithClaims([claim(b, { name })], several)[0]
    expect(named('y.tar')).toMatchObject({ result: 'equal', left: { artifact: 'y.tar' } })
    expect(named('x.tar')).toMatchObject({ result: 'different', left: { artifact: 'x.tar' }, reason: null })
    expect(named('z.tar')).toMatchObject({ result: 'missing', right: null, reason: expect.stringContaining('z.tar') })
    expect(compareWithClaims([claim(b)], several)[0]).toMatchObject({ result: 'equal', left: { artifact: 'y.tar' } })
    expect(compareWithClaims([claim(c)], several)[0]).toMatchObject({ result: 'different', reason: 'none of 2 artifacts has this digest' })
  })

  test('on a dstack OS image hold for sha256sum.txt only', () => {
    const built = [attempt(1, [artifact({ sha256: a }), artifact({ name: 'dstack/sha256sum.txt', format: 'other', sha256: b })])]
    const on = (sha256: typeof a) => compareWithClaims([claim(sha256, { kind: 'dstack-os-image' })], built)[0]?.result
    expect([on(b), on(a)]).toEqual(['equal', 'different'])
    expect(compareWithClaims([claim(a, { kind: 'dstack-os-image' })], two)[0]).toMatchObject({ result: 'missing' })
  })

  test('on a dstack OS image are met by no tree, whatever its name, and by no other file that they name', () => {
    const tree = attempt(1, [artifact({ name: 'sha256sum.txt', format: 'directory', sha256: a })])
    const disk = attempt(1, [artifact({ name: 'image.raw', format: 'disk', sha256: a })])
    const on = (name: string | null, built: typeof tree) =>
      compareWithClaims([claim(a, { kind: 'dstack-os-image', name })], [built])[0]?.result
    expect([on(null, tree), on('sha256sum.txt', tree), on('image.raw', disk)]).toEqual(['missing', 'missing', 'missing'])
  })

  test('on a refused artifact are not comparable, be the digest right or not', () => {
    const refused = [attempt(1, [artifact({ sha256: a, notComparable: 'tar-path-duplicate' })])]
    expect(compareWithClaims([claim(a)], refused)[0]).toMatchObject({ result: 'not-comparable', tier: null, reason: 'tar-path-duplicate' })
  })

  test('lead to a verdict', () => {
    const decide = (claims: Parameters<typeof compareWithClaims>[0]) =>
      decideVerification({
        recipeFindings: [],
        claims,
        attempts: two,
        comparisons: [...compareAttempts(two), ...compareWithClaims(claims, two)],
      })
    expect(decide([claim(a), claim(b, { kind: 'oci-manifest' })])).toMatchObject({ verdict: 'reproduced', tier: 'bit-exact' })
    expect(decide([claim(a), claim(d)])).toMatchObject({ verdict: 'mismatch' })
  })
})
