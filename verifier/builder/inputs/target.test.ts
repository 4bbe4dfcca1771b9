import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ArchivePath } from '../../model/lock.ts'
import { mirrorUrl, readTarget } from './target.ts'

const base = 'http://archive.invalid/'

describe('the target of a request', () => {
  it('reads an address as apt writes it', () => {
    const expected = { archive: 'debian', path: 'pool/main/g/gcc-12/libstdc++6_1:12~rc1_amd64.deb' }
    for (const path of ['libstdc++6_1:12~rc1', 'libstdc%2b%2b6_1%3a12%7erc1', 'libstdc%2B%2B6_1%3A12%7Erc1'])
      expect(readTarget(`${base}debian/pool/main/g/gcc-12/${path}_amd64.deb`)).toEqual({ kind: 'target', target: expected })
  })

  it.each([
    ['a parent', 'debian/dists/../../etc/passwd'],
    ['an escaped parent', 'debian/dists/%2e%2e/x'],
    ['a half escaped parent', 'debian/dists/.%2E/x'],
    ['a current folder', 'debian/./x'],
    ['an escaped slash', 'debian/dists%2fx'],
    ['a backslash', 'debian/dists\\x'],
    ['an empty component', 'debian//x'],
    ['an end in a slash', 'debian/x/'],
    ['a query', 'debian/x?y'],
    ['a fragment', 'debian/x#y'],
    ['an escaped letter', 'debian/%78'],
    ['an escaped escape', 'debian/%252e'],
    ['half an escape', 'debian/%2'],
    ['a zero byte', 'debian/%00'],
    ['a line break', 'debian/x%0d%0aHost:%20y'],
    ['no path', 'debian'],
    ['an empty path', 'debian/'],
    ['an archive in capitals', 'Debian/x'],
    ['an escaped archive', 'deb%69an/x'],
    ['no archive', '/x'],
    ['a long path', `debian/${'x'.repeat(1025)}`],
  ])('refuses %s', (_, rest) => {
    expect(readTarget(base + rest)).toEqual({ kind: 'refused', host: 'archive.invalid' })
  })

  it.each([
    ['another host', 'http://mirror.example/debian/x', 'mirror.example'],
    ['another scheme', 'https://archive.invalid/debian/x', 'archive.invalid'],
    ['a port', 'http://archive.invalid:80/debian/x', 'archive.invalid'],
    ['user and password', 'http://user:password@archive.invalid/debian/x', ''],
    ['a host in capitals', 'http://ARCHIVE.invalid/debian/x', 'ARCHIVE.invalid'],
    ['a host that only begins so', 'http://archive.invalid.example/debian/x', 'archive.invalid.example'],
    ['a path alone', '/debian/x', ''],
    ['a tunnel', 'mirror.example:443', 'mirror.example'],
    ['an address of the metadata service', 'http://169.254.169.254/latest', '169.254.169.254'],
    ['nothing', '', ''],
  ])('refuses %s and names the host', (_, url, host) => {
    expect(readTarget(url)).toEqual({ kind: 'refused', host })
  })

  it('gives nothing but addresses that a lock can hold, each with one meaning', () => {
    const pieces = fc.constantFrom('a', '.', '..', '/', '%2e', '%2f', '%2b', '+', '~', '%7E', '%', '\\', '?', '\u00e9', 'pool', ':')
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const reading = readTarget(`${base}debian/${parts.join('')}`)
        if (reading.kind === 'refused') return
        expect(ArchivePath.safeParse(reading.target.path).success).toBe(true)
        expect(decodeURIComponent(mirrorUrl(new URL('http://mirror.example/a/b'), reading.target.path).pathname)).toBe(
          `/a/b/${reading.target.path}`,
        )
      }),
      { numRuns: 1000 },
    )
  })

  it('leads below a mirror with and without a slash at its end', () => {
    for (const mirror of ['http://mirror.example/debian', 'http://mirror.example/debian/'])
      expect(mirrorUrl(new URL(mirror), 'pool/c++/x~1%3a').href).toBe('http://mirror.example/debian/pool/c%2b%2b/x~1%253a')
  })
})
