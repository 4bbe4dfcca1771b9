import { expect, it } from 'vitest'
import type { Mirrors } from './input-proxy.ts'
import { parseAptTargets, parseAptUris, snapshotMirrors } from './mirrors.ts'

const plain = (mirrors: Mirrors): Record<string, string[]> =>
  Object.fromEntries([...mirrors].map(([archive, urls]) => [archive, urls.map((url) => url.href)]))

it("knows the host's archives by origin and label, wherever they lie", () => {
  const text = [
    'http://mirror.example/debian/ Debian Debian',
    'http://mirror.example/debian/ Debian Debian',
    'https://second.example/pub/linux/distributions/d/ Debian Debian',
    'http://mirror.example/sec/ Debian Debian-Security',
    'https://packages.example/linux/debian/ Vendor Vendor CE',
    'https://packages.example/debian/ . Debian Debian',
    'https://user:secret@private.example/debian/ Debian Debian',
    'file:/srv/debian/ Debian Debian',
    'cdrom:[Debian]/ Debian Debian',
    'no address at all',
    '',
  ].join('\n')
  expect(plain(parseAptTargets(text))).toEqual({
    debian: ['http://mirror.example/debian/', 'https://second.example/pub/linux/distributions/d/'],
    'debian-security': ['http://mirror.example/sec/'],
  })
})

it('guesses them from their URLs before the first update', () => {
  const text = [
    "'http://mirror.example/debian/dists/bookworm/InRelease' mirror.example_debian_dists_bookworm_InRelease 0 ",
    "'http://mirror.example/debian/dists/bookworm-updates/InRelease' x 0 ",
    "'http://mirror.example/debian-security/dists/bookworm-security/InRelease' x 0 ",
    "'http://mirror.example/debian/dists/bookworm/main/binary-amd64/Packages.xz' x 0 ",
    "'https://packages.example/linux/debian/dists/bookworm/InRelease' x 0 ",
    "'https://packages.example/apt/dists/stable/InRelease' x 0 ",
    "'https://user:secret@private.example/debian/dists/bookworm/InRelease' x 0 ",
  ].join('\n')
  expect(plain(parseAptUris(text))).toEqual({
    debian: ['http://mirror.example/debian/'],
    'debian-security': ['http://mirror.example/debian-security/'],
  })
})

it('knows none where apt says nothing', () => {
  expect(parseAptTargets('').size).toBe(0)
  expect(parseAptUris('').size).toBe(0)
})

it('puts a date behind the same archives', () => {
  const expected = {
    debian: ['http://snapshot.example/base/archive/debian/20241201T000000Z'],
    'debian-security': ['http://snapshot.example/base/archive/debian-security/20241201T000000Z'],
  }
  for (const base of ['http://snapshot.example/base', 'http://snapshot.example/base/'])
    expect(plain(snapshotMirrors(new URL(base), '20241201T000000Z'))).toEqual(expected)
  expect(() => snapshotMirrors(new URL('http://snapshot.example'), '../20241201T000000Z')).toThrow(
    expect.objectContaining({ code: 'apt-sources-unknown' }),
  )
})
