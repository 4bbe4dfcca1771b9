import { spawnSync } from 'node:child_process'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, it, vi } from 'vitest'
import { digestOf } from '../../bytes/digest-of.ts'
import { lockRecording, type Recorded } from './lock-recording.ts'
import { memoryBlobs } from './testing/memory-blobs.ts'

const DEB = 'a package'
const stanza = (sha256: string): string =>
  [
    'Package: hello',
    'Version: 1:2.10-3',
    'Architecture: all',
    'Filename: pool/main/h/hello/hello_2.10-3_all.deb',
    `SHA256: ${sha256}`,
    '',
  ].join('\n')
const packages = (sha256 = digestOf(DEB)): string =>
  `Package: other\nFilename: pool/o_1_all.deb\nDescription: é\n\n${stanza(sha256)}\nPackage: last\n`

function release(index: Uint8Array | string, name: string): string {
  return `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

Origin: Debian
Suite: stable
Codename: trixie
Date: Sat, 11 Jul 2026 10:16:37 UTC
Valid-Until: Sat, 18 Jul 2026 10:16:37 UTC
MD5Sum:
 d41d8cd98f00b204e9800998ecf8427e 0 ${name}
SHA256:
 ${digestOf(index)} ${index.length} ${name}
-----BEGIN PGP SIGNATURE-----

iQIzBAEBCAAdFiEE
-----END PGP SIGNATURE-----
`
}

async function lock(files: Readonly<Record<string, Uint8Array | string>>): ReturnType<typeof lockRecording> {
  const blobs = memoryBlobs()
  const recorded: Recorded[] = []
  for (const [path, body] of Object.entries(files)) {
    const bytes = Buffer.from(body)
    blobs.bytes.set(digestOf(bytes), bytes)
    recorded.push({ archive: 'debian', path, sha256: digestOf(bytes), size: bytes.length })
  }
  return await lockRecording(recorded, blobs)
}

const xz = (text: string): Buffer => spawnSync('xz', ['--compress', '--stdout'], { input: text }).stdout
const deb = 'pool/main/h/hello/hello_2.10-3_all.deb'
const INRELEASE = 'dists/trixie/InRelease'

it.each([
  ['xz', '.xz', xz],
  ['gzip', '.gz', gzipSync],
  ['zstd', '.zst', zstdCompressSync],
  ['nothing', '', (text: string) => Buffer.from(text)],
])('takes name and version from a signed index compressed with %s', async (_, extension, compress) => {
  const index = compress(packages())
  const name = `main/binary-amd64/Packages${extension}`
  const { inputs, failures } = await lock({
    [INRELEASE]: release(index, name),
    [`dists/trixie/main/binary-amd64/by-hash/SHA256/${digestOf(index)}`]: index,
    [deb]: DEB,
  })
  expect(failures).toEqual([])
  expect(inputs).toMatchObject([
    {
      kind: 'release',
      path: INRELEASE,
      suite: 'stable',
      codename: 'trixie',
      date: '2026-07-11T10:16:37.000Z',
      validUntil: '2026-07-18T10:16:37.000Z',
    },
    { kind: 'package', path: deb, name: 'hello', version: '1:2.10-3', architecture: 'all', sha256: digestOf(DEB) },
    { kind: 'index' },
  ])
})

it('names both digests where a package is not the one that the signed index names', async () => {
  const index = packages(digestOf('another'))
  const { inputs, failures } = await lock({
    [INRELEASE]: release(index, 'main/binary-amd64/Packages'),
    'dists/trixie/x': index,
    [deb]: DEB,
  })
  expect(failures).toMatchObject([{ code: 'input-differs', path: deb, expected: digestOf('another'), actual: digestOf(DEB) }])
  expect(inputs).toMatchObject([{ kind: 'release' }, { kind: 'package', version: '2.10-3' }, { kind: 'index' }])
})

it('believes no index that no release file names', async () => {
  const { inputs, failures } = await lock({ 'dists/trixie/main/binary-amd64/Packages': packages(digestOf('another')), [deb]: DEB })
  expect(failures).toEqual([])
  expect(inputs).toMatchObject([{ kind: 'package', name: 'hello', version: '2.10-3', architecture: 'all' }, { kind: 'index' }])
})

it('says that xz is missing rather than write a lock that depends on the machine', async () => {
  const index = xz(packages())
  vi.stubEnv('PATH', '/nowhere')
  try {
    const locking = lock({ [INRELEASE]: release(index, 'main/binary-amd64/Packages.xz'), 'dists/trixie/x': index, [deb]: DEB })
    await expect(locking).rejects.toMatchObject({ code: 'xz-missing' })
  } finally {
    vi.unstubAllEnvs()
  }
})

it('says of a damaged index that it could not be read', async () => {
  const index = xz(packages()).subarray(0, 100)
  const { failures } = await lock({ [INRELEASE]: release(index, 'main/binary-amd64/Packages.xz'), 'dists/trixie/x': index, [deb]: DEB })
  expect(failures).toMatchObject([{ code: 'input-unavailable', message: 'a package index could not be read' }])
})

const good = release('', 'x')
it.each([
  ['a page of a captive portal', '<html>Welcome</html>'],
  ['nothing', ''],
  ['no signature', good.slice(0, good.indexOf('-----BEGIN PGP SIGNATURE'))],
  ['a field before the signed part', `Date: Sat, 11 Jul 2099 10:16:37 UTC\n${good}`],
  ['a field twice', good.replace('Codename: trixie', 'Codename: trixie\nCodename: sid')],
  ['no date', good.replace(/Date: .*\n/, '')],
  ['a date in words', good.replace(/Date: .*\n/, 'Date: yesterday\n')],
  ['a date that is none', good.replace('11 Jul', '45 Jul')],
  ['bytes', '\0'.repeat(5000)],
])('takes no release file that is %s', async (_, text) => {
  const { inputs, failures } = await lock({ [INRELEASE]: text })
  expect(inputs).toMatchObject([{ kind: 'index', path: INRELEASE }])
  expect(failures).toMatchObject([{ code: 'input-unavailable', path: INRELEASE }])
})

it('reads a release file that is signed beside it, and one without suite or end', async () => {
  const text = 'Codename: sid\nDate: Sat, 1 Jul 2026 10:16:37 +0000\n'
  const { inputs, failures } = await lock({ 'dists/sid/Release': text, 'dists/sid/Release.gpg': 'signature' })
  expect(failures).toEqual([])
  expect(inputs).toMatchObject([
    { kind: 'release', suite: 'sid', codename: 'sid', date: '2026-07-01T10:16:37.000Z', validUntil: null },
    { kind: 'index', path: 'dists/sid/Release.gpg' },
  ])
})

it('gets through a release file that names one digest over and over', async () => {
  const line = ` ${digestOf('')} 0 x\n`
  const text = `Codename: sid\nDate: Sat, 1 Jul 2026 10:16:37 UTC\nSHA256:\n${line.repeat(200_000)}`
  const { inputs, failures } = await lock({ 'dists/sid/Release': text })
  expect(failures).toEqual([])
  expect(inputs).toMatchObject([{ kind: 'release', suite: 'sid' }])
})

it('keeps no index that names one file over and over', async () => {
  const index = `${stanza(digestOf(DEB))}\n`.repeat(20_000)
  const { inputs, failures } = await lock({
    [INRELEASE]: release(index, 'main/binary-amd64/Packages'),
    'dists/trixie/x': index,
    [deb]: DEB,
  })
  expect(failures).toMatchObject([{ code: 'input-unavailable', message: 'a package index could not be read' }])
  expect(inputs).toMatchObject([{ kind: 'release' }, { kind: 'package', version: '2.10-3' }, { kind: 'index' }])
})
