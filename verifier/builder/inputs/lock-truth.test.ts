import { expect, it, vi } from 'vitest'
import { digestOf } from '../../bytes/digest-of.ts'
import type { BlobStore } from '../../model/blob-store.ts'
import type { Input, InputLock } from '../../model/lock.ts'
import { lockRecording } from './lock-recording.ts'
import { misdescribedInputs } from './lock-truth.ts'
import { type MemoryBlobs, memoryBlobs } from './testing/memory-blobs.ts'

const DEB = 'a package'
const DEB_PATH = 'pool/main/h/hello/hello_2.10-3_all.deb'
const INDEX = `Package: hello\nVersion: 1:2.10-3\nArchitecture: all\nFilename: ${DEB_PATH}\nSHA256: ${digestOf(DEB)}\n`
const IN_RELEASE = `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

Suite: stable
Codename: trixie
Date: Sat, 11 Jul 2026 10:16:37 UTC
SHA256:
 ${digestOf(INDEX)} ${INDEX.length} main/binary-amd64/Packages
-----BEGIN PGP SIGNATURE-----

iQIzBAEBCAAdFiEE
-----END PGP SIGNATURE-----
`

/** The lock that a build from these files writes. */
async function recorded(): Promise<{ lock: InputLock; blobs: MemoryBlobs }> {
  const blobs = memoryBlobs()
  const files = { 'dists/trixie/InRelease': IN_RELEASE, 'dists/trixie/main/binary-amd64/Packages': INDEX, [DEB_PATH]: DEB }
  const entries = Object.entries(files).map(([path, body]) => {
    blobs.bytes.set(digestOf(body), Buffer.from(body))
    return { archive: 'debian', path, sha256: digestOf(body), size: body.length }
  })
  const { inputs } = await lockRecording(entries, blobs)
  return { lock: { schema: 'bitwitness/input-lock/v1', architecture: 'amd64', snapshot: null, inputs, absent: [] }, blobs }
}

const judged = (lock: InputLock, blobs: BlobStore) => misdescribedInputs(lock, blobs)

it('takes a lock that says of its inputs what they are', async () => {
  const { lock, blobs } = await recorded()
  expect(await judged(lock, blobs)).toEqual([])
  expect(await judged({ ...lock, inputs: lock.inputs.toReversed() }, blobs)).toEqual([])
})

it.each<[string, string, (input: Input) => Input]>([
  [
    'gives an old signed index a new date',
    'dists/trixie/InRelease',
    (input) => (input.kind === 'release' ? { ...input, date: '2030-01-01T00:00:00.000Z' } : input),
  ],
  [
    'gives a signed index another suite',
    'dists/trixie/InRelease',
    (input) => (input.kind === 'release' ? { ...input, suite: 'trixie-security' } : input),
  ],
  [
    'hides a signed index',
    'dists/trixie/InRelease',
    ({ archive, path, sha256, size, kind, ...rest }) =>
      kind === 'release' ? { archive, path, sha256, size, kind: 'index' } : ({ archive, path, sha256, size, kind, ...rest } as Input),
  ],
  ['gives a package another version', DEB_PATH, (input) => (input.kind === 'package' ? { ...input, version: '1:2.10-4' } : input)],
  ['states another size', DEB_PATH, (input) => (input.kind === 'package' ? { ...input, size: input.size + 1 } : input)],
])('names the input of a lock that %s', async (_, path, lie) => {
  const { lock, blobs } = await recorded()
  expect(await judged({ ...lock, inputs: lock.inputs.map(lie) }, blobs)).toMatchObject([{ code: 'input-differs', archive: 'debian', path }])
})

it('names an input whose stored bytes are damaged', async () => {
  const { lock, blobs } = await recorded()
  blobs.bytes.set(digestOf(IN_RELEASE), Buffer.from('other'))
  expect(await judged(lock, blobs)).toMatchObject([
    { code: 'input-differs', path: 'dists/trixie/InRelease', expected: digestOf(IN_RELEASE), actual: digestOf('other') },
  ])
})

it('reads no more signed indexes than an archive has, however often a lock names one', async () => {
  const blobs = memoryBlobs()
  const large = `${IN_RELEASE.replace('Suite:', `Label: ${'x'.repeat(1 << 20)}\nSuite:`)}`
  const { inputs } = await lockRecording([await put(blobs, 'dists/trixie/InRelease', large)], blobs)
  const [first] = inputs
  if (first === undefined) throw new Error('nothing was locked')
  const many = Array.from({ length: 40 }, (_, index) => ({ ...first, path: `dists/s${index}/InRelease` }))
  const lock: InputLock = { schema: 'bitwitness/input-lock/v1', architecture: 'amd64', snapshot: null, inputs: many, absent: [] }
  const read = vi.spyOn(blobs, 'open')
  expect(await judged(lock, blobs)).toMatchObject(many.slice(15).map(({ path }) => ({ code: 'input-differs', path })))
  expect(read).toHaveBeenCalledTimes(15)
})

async function put(blobs: MemoryBlobs, path: string, body: string) {
  return { archive: 'debian', path, ...(await blobs.put(one(body))) }
}

async function* one(body: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(body)
}
