import { expect, it } from 'vitest'
import { npmPackageUrl, packageUrl } from './package-url.ts'

it.each([
  [{ name: 'curl', version: '7.88.1-10+deb12u8', architecture: 'amd64' }, null, 'pkg:deb/debian/curl@7.88.1-10%2Bdeb12u8?arch=amd64'],
  [
    { name: 'libstdc++6', version: '1:2~rc1', architecture: 'all' },
    'debian-12',
    'pkg:deb/debian/libstdc%2B%2B6@1:2~rc1?arch=all&distro=debian-12',
  ],
])('a Debian package %j', (one, distro, expected) => {
  expect(packageUrl(one, distro)).toBe(expected)
})

it.each([
  [{ name: 'express', version: '4.21.2' }, 'pkg:npm/express@4.21.2'],
  [{ name: '@types/node', version: '1.0.0-rc.1+b' }, 'pkg:npm/%40types/node@1.0.0-rc.1%2Bb'],
  [{ name: "it's(*)!", version: '1.0.0' }, 'pkg:npm/it%27s%28%2A%29%21@1.0.0'],
])('an npm package %j', (one, expected) => {
  expect(npmPackageUrl(one)).toBe(expected)
})
