import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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

  it('make no home', () => {
    expect(() => execFileSync('ls', [path.join(folder, 'home')], { stdio: 'ignore' })).toThrow('Command failed')
  })
})
