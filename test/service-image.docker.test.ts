import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BuildManifest } from '../verifier/model/build-manifest.ts'
import { sharedSettings, testRoom } from './shared-home.ts'

const root = path.join(import.meta.dirname, '..')
const recipe = path.join(root, 'mkosi', 'service')

let folder: string
let manifest: BuildManifest
let image: string

/** As docker-compose.yml runs it: nothing to write to but the home, no capability, no network here. */
const CONFINED = ['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--network=none']
const HOME = '--tmpfs=/var/lib/bitwitness:mode=0700,uid=10001,gid=10001'

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'service-image-'))
  const { home } = await sharedSettings()
  await testRoom()
  await execa(process.execPath, [path.join(root, 'tools', 'vendor-service.ts')], { cwd: root })
  const main = path.join(root, 'src', 'bin', 'main.ts')
  const out = path.join(folder, 'out')
  const built = await execa(process.execPath, [main, 'build', recipe, '--output', out, '--json'], {
    env: { BITWITNESS_HOME: home },
    reject: false,
    stdin: 'ignore',
  })
  if (built.exitCode !== 0) throw new Error(`the image was not built:\n${built.stderr.slice(-4000)}`)
  manifest = JSON.parse(built.stdout) as BuildManifest
  const tar = execa('tar', ['--create', '--directory', path.join(out, manifest.artifacts[0]?.layout ?? ''), '.'], { buffer: false })
  await execa('docker', ['load', '--quiet'], { input: tar.stdout })
  image = `sha256:${manifest.artifacts[0]?.oci?.config}`
}, 600_000)

afterAll(async () => {
  await execa('docker', ['image', 'rm', '--force', image], { reject: false })
  await rm(folder, { recursive: true, force: true })
})

async function inside(args: readonly string[], options: readonly string[] = []): Promise<string> {
  const { stdout } = await execa('docker', ['run', '--rm', ...CONFINED, HOME, ...options, image, ...args])
  return stdout
}

/** Resolves once the stream said it; rejects where it ends before. The rest is left to flow. */
async function saying(stream: NodeJS.ReadableStream, words: string): Promise<void> {
  let said = ''
  await new Promise<void>((resolve, reject) => {
    stream.on('data', (part: Buffer) => {
      said += part.toString()
      if (said.includes(words)) resolve()
    })
    stream.on('end', () => reject(new Error(`it ended, having said: ${said}`)))
  })
}

describe('the image of the service', () => {
  it('is built by Bitwitness itself, live and again from its lock, to the same bytes', () => {
    expect(manifest).toMatchObject({ verdict: 'built', reasons: [], artifacts: [{ format: 'tar' }] })
  })

  it('is no larger than it has to be', () => {
    expect(manifest.artifacts[0]?.size).toBeLessThan(300 * 2 ** 20)
  })

  it('runs, as a user who owns nothing but the home', async () => {
    const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { version: string }
    expect(await inside(['version'])).toBe(version)
    const asked = await inside(
      ['-c', 'id -u; touch /var/lib/bitwitness/x && echo home; touch /etc/x /opt/x 2>/dev/null || echo no'],
      ['--entrypoint=/bin/sh'],
    )
    expect(asked.split('\n')).toEqual(['10001', 'home', 'no'])
  })

  it('has every module that the program loads', async () => {
    const script = `const { readdirSync } = require('node:fs')
      const rooms = '/opt/bitwitness/dist/src/'
      const all = readdirSync(rooms).filter((name) => name.endsWith('.js')).map((name) => import(rooms + name))
      Promise.all(all).then((found) => console.log('loaded ' + (found.length > 5)))`
    expect(await inside(['-e', script], ['--entrypoint=/usr/bin/node'])).toBe('loaded true')
  })

  it('serves, takes what its operator says inside of it, and ends when it is told to', async () => {
    const name = `bitwitness-service-${process.pid}`
    const confined = CONFINED.filter((option) => !option.startsWith('--network'))
    const port = ['--publish=127.0.0.1::8080', '--env=BITWITNESS_LISTEN=0.0.0.0:8080']
    const serving = execa('docker', ['run', '--rm', '--name', name, ...confined, HOME, '--tmpfs=/tmp', ...port, image], { reject: false })
    try {
      await saying(serving.stdout, 'listens on')
      const { stdout: published } = await execa('docker', ['port', name, '8080/tcp'])
      const at = `http://${published.split('\n')[0]}`
      expect((await fetch(`${at}/healthz`)).status).toBe(200)
      expect(await (await fetch(`${at}/readyz`)).json()).toMatchObject({ ready: true, database: { ok: true }, blobs: { writable: true } })
      const { stdout: token } = await execa('docker', ['exec', name, 'bitwitness', 'token', 'create', 'test'])
      expect(token).toMatch(/^bw_/)
    } finally {
      await execa('docker', ['stop', name], { reject: false })
    }
    const { exitCode, stderr } = await serving
    expect([exitCode, stderr.includes('"msg":"service stopped"')], stderr).toEqual([0, true])
  })

  it('pins sources: git fetches, and xz unpacks', async () => {
    const source = path.join(folder, 'source')
    await execa('git', ['init', '--quiet', source])
    await execa('sh', ['-c', 'printf "[Distribution]\\nDistribution=debian\\nRelease=trixie\\n" > mkosi.conf'], { cwd: source })
    await execa('git', ['add', '.'], { cwd: source })
    await execa('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.org', 'commit', '--quiet', '-m', 'x'], { cwd: source })
    await execa('tar', ['-cJf', path.join(folder, 'source.tar.xz'), '-C', source, 'mkosi.conf'])
    await execa('chmod', ['-R', 'a+rX', folder])
    // git obeys no settings of a repository that belongs to somebody else, so whoever made it looks.
    const user = `--user=${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`
    const mounted = [`--volume=${folder}:/given:ro`, '--tmpfs=/tmp', '--env=BITWITNESS_SOURCES_ALLOW=local-repositories', user]
    for (const given of ['git+file:///given/source', '/given/source.tar.xz'])
      expect(JSON.parse(await inside(['recipe', 'lint', given, '--json'], mounted))).toMatchObject({ verdict: 'accepted' })
  })
})
