import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readAptMirrors } from '../../verifier/builder/inputs/apt-mirrors.ts'
import type { InputProxy } from '../../verifier/builder/inputs/input-proxy.ts'
import { recordInputs } from '../../verifier/builder/inputs/record.ts'
import { memoryBlobs } from '../../verifier/builder/inputs/testing/memory-blobs.ts'

const DEFINITION = fileURLToPath(new URL('.', import.meta.url))
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

let dir = ''
let proxy: InputProxy
let proxyUrl = ''
let registry: ChildProcess | undefined
/** Digest-pinned, in a registry of this test's. */
let base = ''
const images: string[] = []

async function build(args: Readonly<Record<string, string>>): Promise<{ exitCode: number | undefined; all: string }> {
  const tag = `bitwitness-dockerfile-test:${images.length}`
  images.push(tag)
  const flags = Object.entries({ http_proxy: proxyUrl, ...args }).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`])
  // The plain builder: what registry hosts with an old engine have too. The proxy is on this host's loopback.
  const { exitCode, all } = await execa('docker', ['build', '--network', 'host', '--tag', tag, ...flags, DEFINITION], {
    env: { DOCKER_BUILDKIT: '0' },
    all: true,
    reject: false,
  })
  return { exitCode, all }
}

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'bitwitness-dockerfile-'))
  proxy = recordInputs({ mirrors: await readAptMirrors(), blobs: memoryBlobs(), architecture: 'amd64', snapshot: null })
  proxyUrl = `http://127.0.0.1:${(await proxy.listen()).port}`
  const root = path.join(dir, 'base.tar')
  await writeFile(
    path.join(dir, 'base.sources'),
    `Types: deb\nURIs: http://archive.invalid/debian\nSuites: trixie\nComponents: main\nSigned-By: ${KEYRING}\n`,
  )
  await execa(
    'mmdebstrap',
    [
      '--variant=apt',
      `--aptopt=Acquire::http::Proxy "${proxyUrl}"`,
      '--aptopt=Acquire::Check-Valid-Until "false"',
      'trixie',
      root,
      './base.sources',
    ],
    { cwd: dir },
  )
  const port = await freePort()
  await writeFile(
    path.join(dir, 'registry.yml'),
    `version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: ${dir}/registry\nhttp:\n  addr: 127.0.0.1:${port}\n`,
  )
  registry = spawn('docker-registry', ['serve', path.join(dir, 'registry.yml')], { stdio: 'ignore' })
  const name = `127.0.0.1:${port}/base:trixie`
  await execa('docker', ['import', '-', name], { input: createReadStream(root) })
  images.push(name)
  await execa('docker', ['push', '--quiet', name])
  const { stdout } = await execa('docker', ['image', 'inspect', '--format', '{{index .RepoDigests 0}}', name])
  base = stdout
})

afterAll(async () => {
  for (const image of images) await execa('docker', ['image', 'rm', '--force', image], { reject: false })
  if (registry !== undefined) {
    registry.kill()
    await once(registry, 'close')
  }
  await proxy[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

test('a base without a digest is refused', async () => {
  const { exitCode, all } = await build({ BASE: base.replace(/@.*/, ':trixie'), DEBIAN: 'http://archive.invalid/debian' })
  expect(exitCode).not.toBe(0)
  expect(all).toContain('BASE must be NAME@sha256:DIGEST')
})

test('no base at all is refused', async () => {
  expect((await build({})).exitCode).not.toBe(0)
})

test('from a base by digest and an archive by URL it makes a builder like the other', async () => {
  expect(base).toMatch(/@sha256:[0-9a-f]{64}$/)
  const { exitCode, all } = await build({
    BASE: base,
    DEBIAN: 'http://archive.invalid/debian',
    DEBIAN_SECURITY: 'http://archive.invalid/debian-security',
  })
  expect({ exitCode, tail: exitCode === 0 ? '' : all.slice(-2000) }).toEqual({ exitCode: 0, tail: '' })
  const script =
    'mkosi --version && id builder && getcap -r / 2>/dev/null && find / -xdev -perm /6000 && ls -A /etc/apt/sources.list.d /usr/lib/bitwitness'
  const run = ['run', '--rm', '--network', 'none', '--read-only', '--tmpfs', '/tmp', '--user', '0', images.at(-1) ?? '', 'sh', '-c', script]
  const lines = (await execa('docker', run)).stdout.split('\n')
  expect(lines[0]).toMatch(/^mkosi 25\.3\b/)
  expect(lines.slice(1).toSorted()).toEqual(
    [
      'uid=1000(builder) gid=1000(builder) groups=1000(builder)',
      '/usr/bin/newgidmap cap_setgid=ep',
      '/usr/bin/newuidmap cap_setuid=ep',
      '/etc/apt/sources.list.d:',
      '',
      '/usr/lib/bitwitness:',
      'agent.py',
      'packages',
    ].toSorted(),
  )
})

async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
