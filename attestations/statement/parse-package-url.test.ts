import fc from 'fast-check'
import { expect, it } from 'vitest'
import { npmPackageUrl, packageUrl } from './package-url.ts'
import { parsePackageUrl } from './parse-package-url.ts'

it('reads whatever is written', () => {
  const word = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(word, word, word, fc.option(word), (name, version, architecture, distro) => {
      expect(parsePackageUrl(packageUrl({ name, version, architecture }, distro))).toEqual({
        ecosystem: 'debian',
        name,
        version,
        architecture,
      })
    }),
  )
  const part = word.filter((text) => !text.includes('/') && !text.startsWith('@'))
  fc.assert(
    fc.property(fc.option(part), part, word, (scope, last, version) => {
      const name = scope === null ? last : `@${scope}/${last}`
      expect(parsePackageUrl(npmPackageUrl({ name, version }))).toEqual({ ecosystem: 'npm', name, version, architecture: null })
    }),
  )
})

it.each([
  'pkg:pypi/django@1.0',
  'pkg:deb/ubuntu/curl@1',
  'pkg:deb/debian/curl',
  'pkg:deb/debian/curl@',
  'pkg:deb/debian/curl@%ff',
  'pkg:deb/debian/a/b@1',
  'pkg:npm/a@1@2',
  'pkg:npm/a@1#x',
  `pkg:npm/${'a'.repeat(1_000)}@1`,
  '',
])('takes %j for no package', (text) => {
  expect(parsePackageUrl(text)).toBe(null)
})

it('reads a package of no architecture', () => {
  expect(parsePackageUrl('pkg:deb/debian/curl@1:2?distro=x')).toEqual({
    ecosystem: 'debian',
    name: 'curl',
    version: '1:2',
    architecture: null,
  })
})
