import { expect, it } from 'vitest'
import { recordedPackage } from './package-record.ts'

it.each([
  ['var/lib/dpkg/info/curl.list', 'curl'],
  ['var/lib/dpkg/info/curl.md5sums', 'curl'],
  ['var/lib/dpkg/info/libc6:amd64.postinst', 'libc6'],
  ['var/lib/dpkg/info/g++.list', 'g++'],
  ['usr/share/doc/libc6', 'libc6'],
  ['usr/share/doc/libc6/changelog.Debian.gz', 'libc6'],
  ['var/lib/dpkg/status', null],
  ['var/lib/dpkg/info/format', null],
  ['var/lib/dpkg/info/a/b.list', null],
  ['usr/share/doc', null],
  ['usr/share/docs/x', null],
  ['opt/usr/share/doc/x', null],
])('%s is a record of %s', (path, name) => {
  expect(recordedPackage(path)).toBe(name)
})
