import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keySigner } from '../attestations/sign/key-signer.ts'
import { fetchedTools, NO_TOOLS } from '../attestations/verify/testing/fetched-tools.ts'
import { bundlesOf } from '../src/app/attached-bundles.ts'
import type { BlobSource } from '../src/app/image-registry.ts'
import { writeBuiltImage } from '../src/app/testing/built-image.ts'
import { openRegistry } from '../src/registry/registry.ts'
import { PACE } from '../src/registry/retry.ts'
import { digestOf } from '../verifier/bytes/digest-of.ts'
import type { BuildManifest } from '../verifier/model/build-manifest.ts'
import { Sha256 } from '../verifier/model/digest.ts'
import { parsePinnedReference } from '../verifier/model/image-reference.ts'
import { type RegistryAccount, RegistryServer } from './registry-server.ts'

const main = path.join(import.meta.dirname, '..', 'src', 'bin', 'main.ts')
const { signal } = new AbortController()
const layer = randomBytes(24 * 1024 * 1024)
const account: RegistryAccount = { username: 'somebody', password: 'planted-password-7f3d' }

let folder: string
let plain: RegistryServer
let secure: RegistryServer
let built: BuildManifest
let image: Sha256

type Ran = { readonly exit: number | undefined; readonly stdout: string; readonly stderr: string }

async function bitwitness(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [main, ...args], {
    cwd: folder,
    env: { DOCKER_CONFIG: path.join(folder, 'nobody'), ...env },
    reject: false,
    stdin: 'ignore',
  })
  return { exit: exitCode, stdout, stderr }
}

/** Of the registry with TLS: who asks, and whom to trust. */
function login(): Record<string, string> {
  return { DOCKER_CONFIG: path.join(folder, 'somebody'), BITWITNESS_REGISTRY_CA: secure.authority ?? '' }
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-registry-'))
  plain = await RegistryServer.start(path.join(folder, 'plain'))
  secure = await RegistryServer.start(path.join(folder, 'secure'), { tls: true, account })
  built = await writeBuiltImage(path.join(folder, 'built'), layer)
  image = Sha256.parse(built.artifacts[0]?.oci?.manifest)
  for (const [name, password] of [
    ['somebody', account.password],
    ['stranger', 'planted-wrong-password'],
  ] as const) {
    const auth = Buffer.from(`${account.username}:${password}`).toString('base64')
    await mkdir(path.join(folder, name))
    await writeFile(path.join(folder, name, 'config.json'), JSON.stringify({ auths: { [secure.host]: { auth } } }))
  }
}, 120_000)

afterAll(async () => {
  await plain[Symbol.asyncDispose]()
  await secure[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

/** A copy of the build, to push from. */
async function copyOfBuild(name: string): Promise<string> {
  await cp(path.join(folder, 'built'), path.join(folder, name), { recursive: true })
  return name
}

describe.each([
  ['anonymous, without TLS', () => plain, (): Record<string, string> => ({})],
  ['with an account, by TLS', () => secure, login],
])('a registry %s', (_, serverOf, environment) => {
  it('takes an image once, and gives it back', async () => {
    const name = `${serverOf().host}/owner/simple-app`
    const build = await copyOfBuild(`push-${serverOf().host}`)
    const first = await bitwitness(['push', build, name, '--tag', 'latest', '--json'], environment())
    expect(first.exit, first.stderr).toBe(0)
    const report = JSON.parse(first.stdout) as {
      verdict: string
      image: { pinned: string }
      blobs: { state: string }[]
      composeHash: string
    }
    expect(report).toMatchObject({
      verdict: 'pushed',
      image: { pinned: `${name}@sha256:${image}` },
      blobs: [{ state: 'uploaded' }, { state: 'uploaded' }],
      tags: [{ tag: built.artifacts[0]?.sha256 }, { tag: 'latest' }],
    })
    const text = await readFile(path.join(folder, build, 'app-compose.json'))
    const { stdout: sum } = await execa('sha256sum', [path.join(folder, build, 'app-compose.json')])
    expect(sum.slice(0, 64)).toBe(report.composeHash)
    expect((JSON.parse(text.toString()) as { docker_compose_file: string }).docker_compose_file).toBe(
      await readFile(path.join(folder, build, 'docker-compose-deploy.yml'), 'utf8'),
    )

    const again = await bitwitness(['push', build, name, '--tag', 'latest', '--json'], environment())
    expect(JSON.parse(again.stdout)).toMatchObject({ verdict: 'present', blobs: [{ state: 'present' }, { state: 'present' }] })
    const other = await bitwitness(['push', build, `${serverOf().host}/owner/second`, '--json'], environment())
    expect(JSON.parse(other.stdout)).toMatchObject({ verdict: 'pushed', blobs: [{ state: 'mounted' }, { state: 'mounted' }] })

    const output = path.join(folder, `pulled-${serverOf().host}`)
    const pulled = await bitwitness(['pull', `${name}@sha256:${image}`, '--output', output, '--json'], environment())
    expect(pulled.exit, pulled.stderr).toBe(0)
    const blobs = path.join('blobs', 'sha256')
    const source = path.join(folder, 'built', 'image.tar.oci', blobs)
    expect((await readdir(path.join(output, blobs))).toSorted()).toEqual((await readdir(source)).toSorted())
    for (const blob of await readdir(source))
      expect((await readFile(path.join(output, blobs, blob))).equals(await readFile(path.join(source, blob)))).toBe(true)
  })

  it('keeps bundles that cosign finds and verifies, though two attach at once', async ({ skip }) => {
    const tools = fetchedTools()
    if (tools === undefined) return skip(NO_TOOLS)
    const target = `${serverOf().host}/owner/simple-app@sha256:${image}`
    const key = newKey()
    const types = ['bitwitness:reproduced/v1', 'https://slsa.dev/provenance/v1']
    const files = await Promise.all(types.map((type) => writeBundle(key.privateKey, type, [image])))
    await writeFile(path.join(folder, 'key.pub'), key.publicKey)
    const attached = await Promise.all(files.map((file) => bitwitness(['attestation', 'attach', file, target, '--json'], environment())))
    for (const { exit, stdout, stderr } of attached) {
      expect(exit, stderr).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({ verdict: 'attached', via: 'fallback-tag' })
    }
    const again = await bitwitness(['attestation', 'attach', ...files, target, '--json'], environment())
    expect(JSON.parse(again.stdout)).toMatchObject({ verdict: 'present' })

    const cosign = (type: string, pub = 'key.pub') =>
      execa(tools.cosign, ['verify-attestation', '--key', pub, '--insecure-ignore-tlog', '--type', type, target], {
        cwd: folder,
        reject: false,
        env: {
          DOCKER_CONFIG: environment()['DOCKER_CONFIG'] ?? '',
          ...(secure.authority === null ? {} : { SSL_CERT_FILE: secure.authority }),
        },
      })
    for (const type of types) {
      const { exitCode, stdout, stderr } = await cosign(type)
      expect(exitCode, stderr).toBe(0)
      expect(stdout.trim().split('\n')).toHaveLength(1)
      const { payload } = JSON.parse(stdout) as { payload: string }
      expect(JSON.parse(Buffer.from(payload, 'base64').toString())).toMatchObject({
        predicateType: type,
        subject: [{ digest: { sha256: image } }],
      })
    }
    await writeFile(path.join(folder, 'other.pub'), newKey().publicKey)
    const ours = async (pub: string): Promise<unknown> => {
      const { exit, stdout } = await bitwitness(
        ['attestation', 'verify', target, '--key', pub, '--type', 'provenance', '--json'],
        environment(),
      )
      return [exit, (JSON.parse(stdout) as { code: unknown }).code]
    }
    expect([await ours('key.pub'), await ours('other.pub')]).toEqual([
      [0, null],
      [1, 'key-unknown'],
    ])
    expect((await cosign(types[0] ?? '', 'other.pub')).exitCode).not.toBe(0)
    expect((await cosign('https://spdx.dev/Document')).exitCode).not.toBe(0)
  })
})

it('what cosign attached is found', async ({ skip }) => {
  const tools = fetchedTools()
  if (tools === undefined) return skip(NO_TOOLS)
  const name = `${plain.host}/owner/cosigned`
  await bitwitness(['push', await copyOfBuild('cosigned'), name])
  const target = `${name}@sha256:${image}`
  const cosign = async (...args: string[]): Promise<void> => {
    const { exitCode, stderr } = await execa(tools.cosign, args, { cwd: folder, reject: false, env: { COSIGN_PASSWORD: '' } })
    expect(exitCode, stderr).toBe(0)
  }
  await cosign('generate-key-pair')
  await writeFile(path.join(folder, 'predicate.json'), '{}')
  const offline = ['--tlog-upload=false', '--use-signing-config=false', '--yes']
  await cosign(
    'attest',
    '--key',
    'cosign.key',
    '--predicate',
    'predicate.json',
    '--type',
    'https://slsa.dev/provenance/v1',
    ...offline,
    target,
  )
  await using registry = openRegistry({ dockerConfig: folder, plainHttp: [], authorities: null, version: '0' })
  const found = await bundlesOf(registry.repository(parsePinnedReference(target), { access: 'pull' }), { digest: image, signal })
  expect(found.bundles).toHaveLength(1)
  expect(found.skipped).toEqual([])
})

describe('a registry that wants to know who asks', () => {
  const name = (): string => `${secure.host}/owner/refused`
  it.each<[string, () => Record<string, string>, string]>([
    ['nobody', () => ({ ...login(), DOCKER_CONFIG: path.join(folder, 'nobody') }), 'registry-credentials-missing'],
    ['a stranger', () => ({ ...login(), DOCKER_CONFIG: path.join(folder, 'stranger') }), 'registry-denied'],
    ['somebody who does not know it', () => ({ DOCKER_CONFIG: path.join(folder, 'somebody') }), 'registry-tls-untrusted'],
  ])('refuses %s, and no password is said', async (_, environment, code) => {
    const ran = await bitwitness(['push', 'built', name(), '--json'], { ...environment(), BITWITNESS_DEBUG: '1' })
    expect([ran.exit, (JSON.parse(ran.stdout) as { code: string }).code]).toEqual([3, code])
    expect(`${ran.stdout}${ran.stderr}`).not.toMatch(/planted|c29tZWJvZHk/)
  })

  it('takes an authority from NODE_EXTRA_CA_CERTS as well, and credentials from a program', async () => {
    const programs = path.join(folder, 'programs')
    await mkdir(programs)
    const answer = JSON.stringify({ ServerURL: secure.host, Username: account.username, Secret: account.password })
    await writeFile(
      path.join(programs, 'docker-credential-test'),
      `#!/bin/sh\nread server && [ "$server" = ${secure.host} ] && echo '${answer}'\n`,
      { mode: 0o755 },
    )
    await mkdir(path.join(folder, 'with-program'))
    await writeFile(path.join(folder, 'with-program', 'config.json'), JSON.stringify({ credsStore: 'test' }))
    const ran = await bitwitness(['push', await copyOfBuild('by-program'), `${secure.host}/owner/by-program`], {
      DOCKER_CONFIG: path.join(folder, 'with-program'),
      NODE_EXTRA_CA_CERTS: secure.authority ?? '',
      PATH: `${programs}:${process.env['PATH']}`,
    })
    expect(ran.exit, ran.stderr).toBe(0)
  })
})

describe('a registry that goes away in the middle of an upload', () => {
  const large = randomBytes(40 * 1024 * 1024)

  /** A blob whose upload comes to a halt half-way, once, until `half` is over. */
  function halting(bytes: Buffer, half: () => Promise<void>): BlobSource {
    let halted = false
    return {
      sha256: digestOf(bytes),
      size: bytes.length,
      async *open(from, to) {
        for (let at = from; at < to; at += 1 << 20) {
          if (!halted && at >= bytes.length / 2) {
            halted = true
            await half()
          }
          yield bytes.subarray(at, Math.min(at + (1 << 20), to))
        }
      },
    }
  }

  it('gets the rest when it is back, within one push and in another', async () => {
    await using server = await RegistryServer.start(path.join(folder, 'dying'))
    await using registry = openRegistry({
      dockerConfig: folder,
      plainHttp: [],
      authorities: null,
      version: '0',
      pace: { ...PACE, wait: (ms) => delay(ms / 4) },
    })
    const open = () => registry.repository({ registry: server.host, repository: 'owner/app', tag: null, digest: null }, { access: 'push' })

    const dead = halting(large, () => server.kill())
    await expect(open().pushBlob(dead, { signal })).rejects.toMatchObject({
      code: expect.stringMatching(/^registry-(unreachable|upload-failed)$/),
    })
    await server.up()
    expect(await open().pushBlob(dead, { signal })).toBe('uploaded')

    const sent: number[] = []
    const back = halting(Buffer.concat([large, Buffer.from('other')]), async () => {
      await server.kill()
      await server.up()
    })
    expect(await open().pushBlob(back, { signal, onBytes: (done) => sent.push(done) })).toBe('uploaded')
    expect(Buffer.concat(await Array.fromAsync(open().blob(back, signal))).equals(Buffer.concat([large, Buffer.from('other')]))).toBe(true)
  })
})

function newKey(): { privateKey: string; publicKey: string } {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
}

let bundles = 0

async function writeBundle(privateKeyPem: string, predicateType: string, subjects: readonly Sha256[]): Promise<string> {
  bundles += 1
  const number = bundles
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: subjects.map((sha256) => ({ name: '_', digest: { sha256 } })),
    predicateType,
    predicate: { number },
  }
  const bundle = await keySigner({ privateKeyPem }).sign(Buffer.from(JSON.stringify(statement)), { signal, owner: null })
  const file = path.join(folder, `${number}.sigstore.json`)
  await writeFile(file, bundle)
  return file
}
