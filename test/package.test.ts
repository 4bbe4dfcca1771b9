import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ARTIFACT, caseWorld } from '../attestations/verify/testing/case-world.ts'
import { SIGNER } from '../attestations/verify/testing/paper-sigstore.ts'
import { repositoryFiles, root } from './repository.ts'

/** Installs are slow, and slower while builds run beside them. */
const PATIENCE = 300_000

type Ran = { readonly status: number; readonly stdout: string; readonly stderr: string }

function run(program: string, args: readonly string[], cwd: string, environment: NodeJS.ProcessEnv = process.env): Ran {
  try {
    return {
      status: 0,
      stdout: execFileSync(program, args, { cwd, encoding: 'utf8', env: environment, stdio: ['ignore', 'pipe', 'pipe'] }),
      stderr: '',
    }
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number | null; stdout: string; stderr: string }
    return { status: status ?? -1, stdout, stderr }
  }
}

/** Fails with what npm said. */
function npm(args: readonly string[], cwd: string): string {
  const ran = run('npm', args, cwd)
  if (ran.status !== 0) throw new Error(`npm ${args[0]} failed:\n${ran.stderr.slice(-2000)}`)
  return ran.stdout
}

/** Tells every module that is loaded. */
const LOADED = `import { registerHooks } from 'node:module'
registerHooks({ load(url, context, next) { process._rawDebug(url); return next(url, context) } })
`

let folder: string
let checkout: string

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'bitwitness-package-'))
  checkout = path.join(folder, 'checkout')
  for (const file of repositoryFiles().filter((name) => existsSync(path.join(root, name)))) {
    mkdirSync(path.dirname(path.join(checkout, file)), { recursive: true })
    cpSync(path.join(root, file), path.join(checkout, file), { verbatimSymlinks: true, recursive: true })
  }
  npm(['ci', '--no-audit', '--no-fund', '--prefer-offline'], checkout)
}, PATIENCE)
afterAll(() => rmSync(folder, { recursive: true, force: true }), PATIENCE)

describe('a fresh checkout after npm ci', () => {
  it(
    'runs by npx, without another step',
    () => {
      const version = run('npx', ['bitwitness', 'version', '--json'], checkout, {
        ...process.env,
        npm_config_cache: path.join(folder, 'npx-cache'),
      })
      expect(JSON.parse(version.stdout)).toEqual({ schema: 'bitwitness/version/v1', version: '0.1.0' })
    },
    PATIENCE,
  )

  it('ran no install script but the one that brings Node', () => {
    // ssh2 and cpu-features would have built native code.
    expect(existsSync(path.join(checkout, 'node_modules/node/bin/node'))).toBe(true)
    expect(existsSync(path.join(checkout, 'node_modules/cpu-features/build'))).toBe(false)
    expect(existsSync(path.join(checkout, 'node_modules/ssh2/lib/protocol/crypto/build'))).toBe(false)
  })
})

describe('the tarball of npm pack, installed in an empty folder', () => {
  let installed: string

  beforeAll(() => {
    installed = path.join(folder, 'installed')
    mkdirSync(installed)
    npm(['pack', '--pack-destination', folder], checkout)
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))
    npm(['install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts', path.join('..', tarball ?? '')], installed)
  }, PATIENCE)

  const bitwitness = (...args: string[]): Ran => run(path.join(installed, 'node_modules/.bin/bitwitness'), args, installed)

  it('prints its version', () => {
    expect(bitwitness('version')).toMatchObject({ status: 0, stdout: '0.1.0\n' })
  })

  it('has the data that it works with, and neither sources nor tests', () => {
    const inside = path.join(installed, 'node_modules/bitwitness')
    for (const needed of [
      'mkosi/builder',
      'drizzle/meta/_journal.json',
      'schemas/verification-report-v1.json',
      'docs/cli.md',
      'LICENSE',
      'dist/verifier/index.d.ts',
    ])
      expect([needed, existsSync(path.join(inside, needed))]).toEqual([needed, true])
    const files = readdirSync(inside, { recursive: true, encoding: 'utf8' })
    expect(
      files.filter(
        (name) =>
          /\.test\.(js|ts|d\.ts)$|\/testing\/|testdata|(?<!\.d)\.ts$|(^|\/)node_modules\/|\.pyc$/.test(name) && !name.startsWith('mkosi/'),
      ),
    ).toEqual([])
  })

  it('verifies attestations with a few files of its own and the libraries that are installed, and says what the whole program says', async () => {
    const world = await caseWorld()
    writeFileSync(path.join(installed, 'bundle.json'), JSON.stringify(await world.keyless()))
    writeFileSync(path.join(installed, 'root.json'), JSON.stringify(world.sigstore.root()))
    writeFileSync(path.join(installed, 'artifact'), ARTIFACT)
    writeFileSync(path.join(installed, 'cut'), '{')
    const who = ['--certificate-identity', SIGNER.subjectAlternativeName, '--certificate-oidc-issuer', SIGNER.issuer]
    const about = ['--artifact', 'artifact', '--trusted-root', 'root.json']
    const lines: readonly (readonly [status: number, words: readonly string[]])[] = [
      [0, ['bundle.json', ...about, ...who]],
      [1, ['bundle.json', ...about, ...who, '--type', 'provenance']],
      [1, ['cut', ...about, ...who]],
      [1, ['bundle.json', '--artifact', 'artifact', ...who]],
      [2, ['bundle.json', '--artifact', 'absent', ...who]],
      [3, ['https://127.0.0.1:1/bundles', '--artifact', 'artifact', ...who]],
      [2, ['bundle.json', '--no-such-flag']],
      [0, ['--help']],
    ]
    const inside = path.join(installed, 'node_modules/bitwitness')
    for (const [status, words] of lines) {
      const whole = run(process.execPath, [path.join(inside, 'dist/src/bin/main.js'), 'attestation', 'verify', ...words], installed)
      const few = bitwitness('attestation', 'verify', ...words)
      expect([words, few.status]).toEqual([words, status])
      expect(few).toEqual(whole)
    }
    writeFileSync(path.join(installed, 'hook.mjs'), LOADED)
    const { stderr } = spawnSync(
      process.execPath,
      ['--import', './hook.mjs', path.join(inside, 'src/bin/bitwitness.js'), 'attestation', 'verify', 'bundle.json', ...about, ...who],
      { cwd: installed, encoding: 'utf8' },
    )
    const loaded = stderr.split('\n').filter((line) => line.startsWith('file:'))
    expect(loaded.filter((url) => url.includes('/bitwitness/')).length).toBeLessThan(40)
    const packages = loaded.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? [])
    expect([...new Set(packages)].toSorted()).toEqual([
      '@sigstore/bundle',
      '@sigstore/core',
      '@sigstore/protobuf-specs',
      '@sigstore/verify',
      '@stricli/core',
      'bitwitness',
    ])
  })

  it('is a library with types', () => {
    const program =
      "import { decideVerification, VerificationReport } from 'bitwitness/verifier'\nimport { statementsOf } from 'bitwitness/attestations'\nconsole.log(typeof decideVerification, typeof VerificationReport.parse, typeof statementsOf)\n"
    writeFileSync(path.join(installed, 'use.mjs'), program)
    expect(run(process.execPath, ['use.mjs'], installed)).toMatchObject({ status: 0, stdout: 'function function function\n' })
  })
})
