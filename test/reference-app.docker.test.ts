import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchedTools, NO_TOOLS } from '../attestations/verify/testing/fetched-tools.ts'
import { openBlobFolder } from '../src/storage/blob-folder.ts'
import { parseLock } from '../verifier/builder/inputs/parse-lock.ts'
import type { BuildManifest } from '../verifier/model/build-manifest.ts'
import type { CheckReport, VerificationReport } from '../verifier/model/report.ts'
import { RegistryServer } from './registry-server.ts'
import { sharedSettings, testRoom } from './shared-home.ts'

const root = path.join(import.meta.dirname, '..')
const app = path.join(root, 'mkosi', 'app')
/** Nothing listens on the discard port. */
const DEAD = 'debian=http://127.0.0.1:9/debian/ debian-security=http://127.0.0.1:9/debian-security/'

let folder: string
let home: string
let demo: string
let manifest: BuildManifest

type Ran = { readonly exitCode: number | undefined; readonly stdout: string; readonly stderr: string }

async function bitwitness(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const main = path.join(root, 'src', 'bin', 'main.ts')
  const { exitCode, stdout, stderr } = await execa(process.execPath, [main, ...args], {
    cwd: folder,
    env: { BITWITNESS_HOME: home, ...env },
    reject: false,
    stdin: 'ignore',
  })
  return { exitCode, stdout, stderr }
}

function published(name: string): string {
  return path.join(folder, 'demo', 'published', name)
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'reference-app-'))
  home = (await sharedSettings()).home
  await testRoom()
  await execa(process.execPath, [path.join(root, 'tools', 'build.ts')], { cwd: root })
  const ran = await execa(process.execPath, [path.join(root, 'tools', 'demo.ts'), path.join(folder, 'demo')], {
    cwd: root,
    env: { BITWITNESS_HOME: home },
    all: true,
    reject: false,
    stdin: 'ignore',
  })
  demo = ran.all
  if (ran.exitCode !== 0) throw new Error(`the demonstration failed:\n${demo.slice(-4000)}`)
  manifest = JSON.parse(await readFile(published('build-manifest.json'), 'utf8')) as BuildManifest
}, 1_500_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

describe('the demonstration', () => {
  it('reproduces the published image bit for bit, file and image', async () => {
    const report = JSON.parse(await readFile(path.join(folder, 'demo', 'reproduced.report.json'), 'utf8')) as VerificationReport
    expect(report).toMatchObject({ verdict: 'reproduced', tier: 'bit-exact' })
    expect(report.claims.map(({ kind }) => kind)).toEqual(['file', 'oci-manifest'])
    expect(report.attempts.map(({ mode, outcome }) => ({ mode, outcome }))).toEqual([
      { mode: 'replay', outcome: 'built' },
      { mode: 'replay', outcome: 'built' },
    ])
    expect(report.lock).toBe(manifest.lock?.sha256)
  })

  it('says that every answer was the true one', () => {
    expect(demo).toContain('Every answer was the true one.')
  })

  it('names the file in which a byte was flipped, and the packages that were changed', () => {
    expect(demo).toContain('opt/app/server.js')
    expect(demo).toMatch(/wget absent → \d/)
    expect(demo).toMatch(/curl \d\S* → absent/)
  })

  it('is let through by the gate, and not where a digit of its digest is another', () => {
    expect(demo).toMatch(/^allow$[^]*^ {2}pass {2}source-admitted {2}service simple-app:/m)
    expect(demo).toMatch(/^deny$[^]*^ {2}fail {2}attested {2}service simple-app:/m)
  })

  it('is started by what stands in for dstack where it may be, answers, and is called simulated', async () => {
    expect(demo).toMatch(/^running {4}\/ 200, \/health 200$[^]*^simulated {2}SIMULATED: /m)
    const stateOf = async (name: string): Promise<unknown> => {
      const text = await readFile(path.join(folder, 'demo', name, 'app-compose.json.deploy-state.json'), 'utf8')
      return (JSON.parse(text) as { deployment: { state: string } }).deployment.state
    }
    expect([await stateOf('deployment'), await stateOf('tampered-deployment')]).toEqual(['running', 'denied'])
  })
})

describe('what the demonstration leaves', () => {
  it('is verified by cosign with the line that it prints', async ({ skip }) => {
    const tools = fetchedTools()
    if (tools === undefined) return skip(NO_TOOLS)
    // Signing prints lines as well, which are for the folder that it wrote.
    const line = [...demo.matchAll(/^ {2}(cosign verify-blob-attestation .*)$/gm)].at(-1)?.[1] ?? ''
    const [program, ...words] = line.split(' ')
    expect(program).toBe('cosign')
    await execa(tools.cosign, words, { cwd: root, env: { HOME: folder } })
    const other = words.map((word) => word.replace(/^[0-9a-f]{64}$/, '0'.repeat(64)))
    expect(other).not.toEqual(words)
    expect(await execa(tools.cosign, other, { cwd: root, env: { HOME: folder }, reject: false })).toMatchObject({ exitCode: 1 })
  })

  it('is what was signed: the image of the claim, and the key', async () => {
    const [artifact] = manifest.artifacts
    const demoOut = path.join(folder, 'demo')
    const { stdout } = await execa('sha256sum', ['artifact.tar'], { cwd: demoOut })
    expect(stdout).toContain(artifact?.sha256 ?? 'no artifact')
    expect(await readFile(path.join(demoOut, 'key.pub'), 'utf8')).toMatch(/^-----BEGIN PUBLIC KEY-----/)
    const proof = ['attestation', 'verify', path.join(demoOut, 'proof'), '--key', path.join(demoOut, 'key.pub'), '--json']
    const checked = await bitwitness([...proof, '--artifact', path.join(demoOut, 'artifact.tar')])
    expect(checked.exitCode, checked.stderr).toBe(0)
    expect(JSON.parse(checked.stdout)).toMatchObject({ verdict: 'verified' })
  })
})

describe('the image', () => {
  const config = (): string => `sha256:${manifest.artifacts[0]?.oci?.config}`

  it('runs in Docker and gives both answers', async () => {
    const layout = published(manifest.artifacts[0]?.layout ?? '')
    const tar = execa('tar', ['--create', '--directory', layout, '.'], { stdout: 'pipe', buffer: false })
    const { stdout: loaded } = await execa('docker', ['load', '--quiet'], { input: tar.stdout })
    try {
      expect(loaded).toContain(config())
      await expectAnswers(config())
    } finally {
      await execa('docker', ['image', 'rm', '--force', config()])
    }
  }, 120_000)

  describe('in a registry', () => {
    let registry: RegistryServer
    /** By the digest that the build said. */
    let pinned: string
    const nobody = (): Record<string, string> => ({ DOCKER_CONFIG: path.join(folder, 'nobody') })

    beforeAll(async () => {
      registry = await RegistryServer.start(path.join(folder, 'registry'))
      const name = `${registry.host}/owner/reference-app`
      pinned = `${name}@sha256:${manifest.artifacts[0]?.oci?.manifest}`
      const ran = await bitwitness(['push', path.join(folder, 'demo', 'published'), name, '--json'], nobody())
      if (ran.exitCode !== 0) throw new Error(ran.stderr)
    }, 120_000)

    afterAll(() => registry[Symbol.asyncDispose]())

    it('is pulled by its digest, and runs', async () => {
      const known = await execa('docker', ['image', 'inspect', config()], { reject: false })
      expect(known.exitCode, 'the engine has the image already, and would not pull it').not.toBe(0)
      await execa('docker', ['pull', '--quiet', pinned], { env: nobody() })
      try {
        const { stdout } = await execa('docker', ['image', 'inspect', pinned])
        expect(JSON.parse(stdout)).toMatchObject([{ Id: config(), RepoDigests: [pinned] }])
        await expectAnswers(pinned)
      } finally {
        await execa('docker', ['image', 'rm', '--force', pinned])
      }
    }, 120_000)

    it('has what the report attests beside it, for cosign as the docs say it', async ({ skip }) => {
      const tools = fetchedTools()
      if (tools === undefined) return skip(NO_TOOLS)
      const attestations = path.join(folder, 'attestations')
      const signed = await bitwitness(['attest', path.join(folder, 'demo', 'reproduced.report.json'), '--output', attestations])
      expect(signed.exitCode, signed.stderr).toBe(0)
      const attached = await bitwitness(
        ['attestation', 'attach', path.join(attestations, 'reproduced.sigstore.json'), pinned, '--json'],
        nobody(),
      )
      expect(attached.exitCode, attached.stderr).toBe(0)

      const page = await readFile(path.join(root, 'docs', 'registry.md'), 'utf8')
      const line = /^ {4}cosign (verify-attestation --key .*) NAME@sha256:…$/m.exec(page)?.[1] ?? ''
      const checked = await execa(tools.cosign, [...line.split(' '), pinned], { cwd: attestations, env: nobody(), reject: false })
      expect(checked.exitCode, checked.stderr).toBe(0)
      const { payload } = JSON.parse(checked.stdout) as { payload: string }
      expect(JSON.parse(Buffer.from(payload, 'base64').toString())).toMatchObject({
        predicateType: 'bitwitness:reproduced/v1',
        subject: expect.arrayContaining([
          expect.objectContaining({ digest: { sha256: manifest.artifacts[0]?.oci?.manifest } }),
          expect.objectContaining({ digest: { sha256: manifest.artifacts[0]?.sha256 } }),
        ]),
      })
    }, 120_000)
  })
})

/** Of a container of the image, which is gone afterwards. */
async function expectAnswers(image: string): Promise<void> {
  const { stdout: container } = await execa('docker', ['run', '--detach', '--publish', '127.0.0.1::3000', image])
  try {
    const { stdout: port } = await execa('docker', ['port', container, '3000/tcp'])
    const base = `http://${port.split('\n')[0]}`
    expect(await answer(`${base}/`)).toMatchObject({ message: 'Deterministic build practice app', nodeVersion: 'v18.20.4' })
    const health = (await answer(`${base}/health`)) as { status: string; curl: string }
    expect(health.status).toBe('healthy')
    expect(health.curl).toMatch(/^curl 7\.88\.1/)
  } finally {
    await execa('docker', ['rm', '--force', container])
  }
}

/** The app needs a moment to listen; nothing else tells when it does. */
async function answer(url: string): Promise<unknown> {
  for (let tries = 0; ; tries += 1)
    try {
      return await (await fetch(url, { signal: AbortSignal.timeout(5000) })).json()
    } catch (error) {
      if (tries >= 60) throw error
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
}

describe('inputs that are carried along', () => {
  let empty: string
  /** What was imported builds only where it is named. */
  let named: readonly string[]

  beforeAll(async () => {
    empty = path.join(folder, 'empty-home')
    const builder = path.join(folder, 'builder.tar')
    // The newest of a home may be of another mkosi than the one that the image was built with.
    const digest = manifest.parameters.builder?.digest ?? ''
    named = ['--builder', digest]
    for (const [args, env] of [
      [['builder', 'export', digest, '--output', builder], {}],
      [['builder', 'import', builder], { BITWITNESS_HOME: empty }],
    ] as const) {
      const ran = await bitwitness(args, env)
      if (ran.exitCode !== 0) throw new Error(ran.stderr)
    }
  }, 300_000)

  it('give no verdict where they are neither carried nor on any mirror', async () => {
    const ran = await bitwitness(
      ['verify', app, '--json', ...named, '--claim', manifest.artifacts[0]?.claims[0] ?? '', '--lock', published('inputs.lock.json')],
      { BITWITNESS_HOME: empty, BITWITNESS_MIRRORS: DEAD },
    )
    expect(ran.exitCode).toBe(3)
    const report = JSON.parse(ran.stdout) as VerificationReport
    expect(report).toMatchObject({ verdict: 'undecided', reasons: [{ code: 'input-unavailable' }] })
    expect(report.attempts[0]?.reason?.data['path']).toMatch(/^(dists|pool)\//)
  }, 300_000)

  it('give the same bits with an empty home and a dead mirror', async () => {
    const ran = await bitwitness(
      [
        'verify',
        app,
        '--json',
        '--attempts',
        '1',
        ...named,
        '--claim',
        manifest.artifacts[0]?.claims[0] ?? '',
        '--inputs',
        published('inputs.tar'),
      ],
      { BITWITNESS_HOME: empty, BITWITNESS_MIRRORS: DEAD },
    )
    expect(ran.exitCode, ran.stderr).toBe(0)
    expect(JSON.parse(ran.stdout)).toMatchObject({ verdict: 'reproduced', tier: 'bit-exact', lock: manifest.lock?.sha256 })
  }, 900_000)
})

describe('a dated archive', () => {
  it('gives the image of its date, from a snapshot date on the command line', async () => {
    const date = '20241201T000000Z'
    const blobs = await openBlobFolder(path.join(home, 'blobs'))
    const lock = parseLock(await readFile(published('inputs.lock.json'), 'utf8'))
    const asked: string[] = []
    const server = http.createServer((request, response) => {
      const url = decodeURIComponent(request.url ?? '')
      asked.push(url)
      const input = lock.inputs.find(({ archive, path: file }) => url === `/archive/${archive}/${date}/${file}`)
      if (input === undefined) {
        response.writeHead(404).end()
        return
      }
      response.writeHead(200, { 'content-length': input.size })
      blobs.open(input.sha256).then(
        (bytes) => pipeline(Readable.from(bytes), response),
        () => response.destroy(),
      )
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const { port } = server.address() as AddressInfo
      const ran = await bitwitness(['check', app, '--json', '--attempts', '1', '--snapshot', date], {
        BITWITNESS_SNAPSHOT_MIRROR: `http://127.0.0.1:${port}/`,
        BITWITNESS_MIRRORS: DEAD,
      })
      const report = JSON.parse(ran.stdout) as CheckReport
      expect(report.attempts[0]).toMatchObject({ mode: 'live', outcome: 'built' })
      expect(report.attempts[0]?.artifacts[0]?.sha256).toBe(manifest.artifacts[0]?.sha256)
      expect(asked.some((url) => url.includes('/debian-security/') && url.includes(date))).toBe(true)
      expect(asked.some((url) => url.includes('bookworm-updates'))).toBe(true)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }, 900_000)
})
