import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ARTIFACT, caseWorld } from '../attestations/verify/testing/case-world.ts'
import { SIGNER } from '../attestations/verify/testing/paper-sigstore.ts'
import { root } from './repository.ts'

const launcher = path.join(root, 'src/bin/bitwitness.js')
let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'bitwitness-launcher-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the launcher where `process.versions.node` is what we say: a preload changes it before the launcher reads it. */
function onNode(version: string) {
  const preload = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`
  return spawnSync(process.execPath, ['--import', preload, launcher, 'version'], { encoding: 'utf8' })
}

describe('the launcher', () => {
  it.each(['10.24.1', '18.20.4', '22.22.2', '24.14.9'])('says on Node %s what is missing, and ends with 2', (version) => {
    const { status, stdout, stderr } = onNode(version)
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toContain('needs Node.js 24.15 or newer')
    expect(stderr).toContain(version)
  })

  it('is written in a syntax that every Node with modules reads', () => {
    const text = readFileSync(launcher, 'utf8')
    expect(text).not.toMatch(/\b(const|let|async|await|class)\b|=>|`|\?\.|\?\?|^import\s/m)
  })

  it('says that a checkout is not built', () => {
    mkdirSync(path.join(folder, 'src/bin'), { recursive: true })
    cpSync(launcher, path.join(folder, 'src/bin/bitwitness.mjs'))
    const { status, stderr } = spawnSync(process.execPath, [path.join(folder, 'src/bin/bitwitness.mjs'), 'version'], { encoding: 'utf8' })
    expect(status).toBe(3)
    expect(stderr).toContain('npm ci')
  })
})

describe('compiled code', () => {
  const mode = (name: string): string => (statSync(name).mode & 0o777).toString(8)

  /** Runs the launcher over a program of the test's own, with a home that was prepared. */
  function launched(prepare: (home: string) => void): { said: string; home: string } {
    const place = mkdtempSync(path.join(folder, 'compiled-'))
    mkdirSync(path.join(place, 'src/bin'), { recursive: true })
    mkdirSync(path.join(place, 'dist/src/bin'), { recursive: true })
    cpSync(launcher, path.join(place, 'src/bin/bitwitness.mjs'))
    writeFileSync(path.join(place, 'package.json'), '{ "type": "module" }')
    writeFileSync(path.join(place, 'dist/src/bin/main.js'), "import { answer } from './answer.js'\nconsole.log(answer)\n")
    writeFileSync(path.join(place, 'dist/src/bin/answer.js'), `export const answer = 42 // ${'x'.repeat(4000)}\n`)
    const home = path.join(place, 'home')
    prepare(home)
    const { PATH = '', HOME = '' } = process.env
    const { stdout, stderr } = spawnSync(process.execPath, [path.join(place, 'src/bin/bitwitness.mjs')], {
      encoding: 'utf8',
      env: { PATH, HOME, BITWITNESS_HOME: home },
    })
    return { said: stdout + stderr, home }
  }
  const made = (home: string): boolean => existsSync(path.join(home, 'compiled'))

  it('is kept in the home, where only its owner gets at it', () => {
    const { said, home } = launched((at) => mkdirSync(at, { mode: 0o700 }))
    expect(said).toBe('42\n')
    expect(mode(path.join(home, 'compiled'))).toBe('700')
    expect(readdirSync(path.join(home, 'compiled'), { recursive: true }).length).toBeGreaterThan(1)
  })

  it('makes no home', () => {
    const { said, home } = launched(() => {})
    expect([said, existsSync(home)]).toEqual(['42\n', false])
  })

  it.each<[string, (home: string) => void]>([
    ['the home is one that others may write to', (home) => mkdirSync(home)],
    ['the home is none', (home) => writeFileSync(home, '')],
    ['others may write to where the home is by a link', (home) => symlinkSync('elsewhere', home)],
  ])('is kept nowhere where %s', (_, prepare) => {
    const { said, home } = launched((at) => {
      mkdirSync(path.join(path.dirname(at), 'elsewhere'), { mode: 0o777 })
      chmodSync(path.join(path.dirname(at), 'elsewhere'), 0o777)
      prepare(at)
      if (statSync(at).isDirectory()) chmodSync(at, 0o777)
    })
    expect([said, made(home)]).toEqual(['42\n', false])
  })

  it.each<[string, (compiled: string) => void]>([
    ['others may write to what is there', (compiled) => (mkdirSync(compiled), chmodSync(compiled, 0o770))],
    ['something else is in its place', (compiled) => writeFileSync(compiled, '')],
    [
      'a link is in its place',
      (compiled) => (mkdirSync(`${compiled}-elsewhere`, { mode: 0o700 }), symlinkSync(`${compiled}-elsewhere`, compiled)),
    ],
  ])('is neither kept nor taken where %s', (_, prepare) => {
    const { said, home } = launched((at) => {
      mkdirSync(at, { mode: 0o700 })
      prepare(path.join(at, 'compiled'))
    })
    expect(said).toBe('42\n')
    const left = readdirSync(home, { recursive: true, encoding: 'utf8' })
    expect(left.filter((name) => !/^compiled(-elsewhere)?$/.test(name))).toEqual([])
  })
})

describe('the commands that need no engine', () => {
  const main = path.join(root, 'src/bin/main.ts')
  const hook = `import { registerHooks } from 'node:module'
registerHooks({ load(url, context, next) { process._rawDebug('loaded ' + url); return next(url, context) } })
`

  function loadedBy(...args: string[]): { status: number | null; modules: string[] } {
    writeFileSync(path.join(folder, 'hook.mjs'), hook)
    const { status, stderr } = spawnSync(process.execPath, ['--import', path.join(folder, 'hook.mjs'), main, ...args], {
      encoding: 'utf8',
      env: { ...process.env, BITWITNESS_HOME: path.join(folder, 'home') },
    })
    return { status, modules: [...stderr.matchAll(/^loaded (.*)$/gm)].map((match) => match[1] ?? '') }
  }

  it.each(['--help', 'verify --help', 'version', 'recipe lint ./mkosi/app', 'explain package.json package.json'])(
    'bitwitness %s loads no client of Docker',
    (line) => {
      const { status, modules } = loadedBy(...line.split(' '))
      expect(status).toBe(0)
      expect(modules.some((module) => module.includes('@stricli/core'))).toBe(true)
      expect(modules.filter((module) => /dockerode|docker-modem|ssh2|grpc/.test(module))).toEqual([])
    },
  )

  it('loads for verifying an attestation what that needs, and nothing of other commands or of the settings', async () => {
    const world = await caseWorld()
    const bundle = path.join(folder, 'bundle.json')
    writeFileSync(bundle, JSON.stringify(await world.keyless()))
    writeFileSync(path.join(folder, 'root.json'), JSON.stringify(world.sigstore.root()))
    writeFileSync(path.join(folder, 'artifact'), ARTIFACT)
    const who = ['--certificate-identity', SIGNER.subjectAlternativeName, '--certificate-oidc-issuer', SIGNER.issuer]
    const about = ['--artifact', path.join(folder, 'artifact'), '--trusted-root', path.join(folder, 'root.json')]
    const { status, modules } = loadedBy('attestation', 'verify', bundle, ...about, ...who)
    expect(status).toBe(0)
    const packages = modules.flatMap((module) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(module)?.[1] ?? [])
    expect([...new Set(packages)].toSorted()).toEqual([
      '@sigstore/bundle',
      '@sigstore/core',
      '@sigstore/protobuf-specs',
      '@sigstore/verify',
      '@stricli/core',
      'zod',
    ])
    const ours = modules.filter((module) => !module.includes('/node_modules/') && module.startsWith(pathToFileURL(`${root}/`).href))
    const names = ours.map((module) => module.slice(pathToFileURL(`${root}/`).href.length))
    const beside = /^(verifier\/(?!model\/)|attestations\/(?!verify\/|statement\/))/
    expect(names.filter((name) => beside.test(name)).toSorted()).toEqual([
      'verifier/bytes/asn1-steps.ts',
      'verifier/bytes/digest-of.ts',
      'verifier/bytes/named-file.ts',
      'verifier/bytes/small-file.ts',
      'verifier/bytes/whole-file.ts',
      'verifier/tar/bytes.ts',
      'verifier/tar/failures.ts',
      'verifier/tar/header.ts',
    ])
    // Its exports are getters of what is loaded then: streams, for one. Whoever reads files by node:fs/promises goes without.
    expect(modules).not.toContain('node:fs')
    expect(names).not.toContain('attestations/verify/public-good.ts')
    expect(names.filter((name) => name.startsWith('src/')).toSorted()).toEqual([
      'src/app/attestation-check.ts',
      'src/app/bundle-documents.ts',
      'src/app/verify-attestation.ts',
      'src/bin/main.ts',
      'src/bin/output-watch.ts',
      'src/bin/signals.ts',
      'src/cli/application.ts',
      'src/cli/attestation-app.ts',
      'src/cli/attestation-arguments.ts',
      'src/cli/command.ts',
      'src/cli/commands/attestation/verify.ts',
      'src/cli/error-document.ts',
      'src/cli/exit-code.ts',
      'src/cli/help-placeholders.ts',
      'src/cli/open-use-cases.ts',
      'src/cli/output.ts',
      'src/cli/render/attestation.ts',
      'src/cli/render/paint.ts',
      'src/cli/run.ts',
      'src/cli/signer-flags.ts',
      'src/verifying-room.ts',
    ])
  })

  it('make no home', () => {
    expect(() => execFileSync('ls', [path.join(folder, 'home')], { stdio: 'ignore' })).toThrow('Command failed')
  })
})
