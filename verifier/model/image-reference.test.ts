import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Sha256 } from './digest.ts'
import { imageName, parseImageReference, parsePinnedReference, pinnedName } from './image-reference.ts'

const hex = 'ab'.repeat(32)
const digest = Sha256.parse(hex)

describe('the name of an image', () => {
  it.each([
    ['debian', 'docker.io', 'library/debian', null],
    ['debian:12', 'docker.io', 'library/debian', '12'],
    ['user/app', 'docker.io', 'user/app', null],
    ['docker.io/debian', 'docker.io', 'library/debian', null],
    ['docker.io/user/app:v1.0', 'docker.io', 'user/app', 'v1.0'],
    ['index.docker.io/user/app', 'docker.io', 'user/app', null],
    ['registry-1.docker.io/user/app', 'docker.io', 'user/app', null],
    ['docker://ghcr.io/owner/app', 'ghcr.io', 'owner/app', null],
    ['oci://ghcr.io/owner/app', 'ghcr.io', 'owner/app', null],
    ['localhost/app', 'localhost', 'app', null],
    ['localhost:5000/app:tag', 'localhost:5000', 'app', 'tag'],
    ['127.0.0.1:5000/a/b/c', '127.0.0.1:5000', 'a/b/c', null],
    ['[::1]:5000/app', '[::1]:5000', 'app', null],
    ['host:443/app', 'host:443', 'app', null],
    ['registry.example/a__b/c.d/e--f', 'registry.example', 'a__b/c.d/e--f', null],
  ])('%s is read as Docker reads it', (text, registry, repository, tag) => {
    expect(parseImageReference(text)).toEqual({ registry, repository, tag, digest: null })
    expect(parseImageReference(`${text}@sha256:${hex}`)).toEqual({ registry, repository, tag, digest })
  })

  it.each([
    '',
    '/',
    '/app',
    'app/',
    'a//b',
    'App',
    'docker.io/User/app',
    'GHCR.io/owner/app',
    'ghcr.io/owner/app:',
    'ghcr.io/owner/app:-x',
    `ghcr.io/owner/app:${'t'.repeat(129)}`,
    'ghcr.io/../app',
    'ghcr.io/./app',
    'ghcr.io/a%2fb',
    'ghcr.io/a b',
    'ghcr.io/a\nb',
    'ghcr.io/a?x=1',
    'ghcr.io/a#b',
    'ghcr.io/.hidden',
    'ghcr.io/a..b',
    'ghcr.io/a___b',
    'user:password@ghcr.io/app',
    'user@ghcr.io/app',
    'https://ghcr.io/app',
    'file:///etc/passwd',
    'ghcr.io:0/app',
    'ghcr.io:65536/app',
    'ghcr.io:5000x/app',
    'ghcr.io./app',
    '-x.example/app',
    '0x7f.1/app',
    '127.1/app',
    '2130706433.0/app',
    '[::ffff:127.0.0.1]/app',
    '[0::1]/app',
    '[::1/app',
    hex,
    `a/${'b'.repeat(300)}`,
    `app@sha256:${hex}@sha256:${hex}`,
    `app@sha256:${hex.toUpperCase()}`,
    `app@sha512:${hex}${hex}`,
    `app@${hex}`,
    'app@',
    'ghcr.io/ｅxample/app',
    'x'.repeat(2000),
  ])('%j is refused', (text) => {
    expect(() => parseImageReference(text)).toThrow(expect.objectContaining({ code: 'image-reference-malformed' }))
  })

  it('is the same when what was read is written and read again', () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,8}$/)
    const host = fc.oneof(
      fc.constantFrom('localhost', '127.0.0.1', '[::1]', 'docker.io', 'ghcr.io'),
      word.map((one) => `${one}.example`),
    )
    const port = fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined })
    const path = fc.array(
      fc.tuple(word, fc.constantFrom('', '.', '_', '__', '-'), word).map((parts) => parts.join('')),
      { minLength: 1, maxLength: 4 },
    )
    fc.assert(
      fc.property(host, port, path, (name, number, parts) => {
        const text = `${name}${number === undefined ? '' : `:${number}`}/${parts.join('/')}`
        const read = parseImageReference(text)
        expect(parseImageReference(imageName(read))).toEqual(read)
      }),
    )
  })

  it('never has a path that leaves its place in a URL, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('a', '/', '.', ':', '@', '%', '[', ']', '-', '_', '0') })),
        (text) => {
          let read: ReturnType<typeof parseImageReference>
          try {
            read = parseImageReference(text)
          } catch (error) {
            expect(error).toMatchObject({ code: 'image-reference-malformed' })
            return
          }
          const url = new URL(`https://host/v2/${read.repository}/manifests/x`)
          expect(url.pathname).toBe(`/v2/${read.repository}/manifests/x`)
          expect(new URL(`https://${read.registry}/`).username).toBe('')
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('a pinned name', () => {
  it('needs a digest and keeps no tag', () => {
    expect(pinnedName(parsePinnedReference(`app:v1@sha256:${hex}`))).toBe(`docker.io/library/app@sha256:${hex}`)
    expect(() => parsePinnedReference('ghcr.io/owner/app:v1')).toThrow(expect.objectContaining({ code: 'image-digest-missing' }))
  })
})
