import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'

const app = import.meta.dirname
const run = promisify(execFile)

type Package = { path: string; name: string; version: string; file: string; integrity: string }

async function locked(): Promise<Package[]> {
  const text = await readFile(path.join(app, 'vendor/npm.lock.json'), 'utf8')
  return (JSON.parse(text) as { packages: Package[] }).packages
}

let work: string
beforeEach(async () => {
  work = await mkdtemp(path.join(tmpdir(), 'bitwitness-app-'))
})
afterEach(async () => {
  await rm(work, { recursive: true, force: true })
})

/** Runs the build script as mkosi does, on a copy that a test may damage first. */
async function build(damage: (vendor: string) => Promise<void> = async () => {}): Promise<string> {
  await cp(path.join(app, 'vendor'), path.join(work, 'src/vendor'), { recursive: true })
  await damage(path.join(work, 'src/vendor'))
  const env = { PATH: '/usr/bin:/bin', SRCDIR: path.join(work, 'src'), DESTDIR: path.join(work, 'dest') }
  await run('python3', [path.join(app, 'mkosi.build')], { env })
  return path.join(work, 'dest/opt/app')
}

test('every vendored archive has the sha512 that npm published', async () => {
  const npm = JSON.parse(await readFile(path.join(app, 'vendor/package-lock.json'), 'utf8')) as {
    packages: Record<string, { integrity?: string }>
  }
  const packages = await locked()
  expect(packages.map((one) => one.file).toSorted()).toEqual((await readdir(path.join(app, 'vendor/npm'))).toSorted())
  expect(packages.map((one) => one.path)).toEqual(
    Object.keys(npm.packages)
      .filter((where) => where !== '')
      .toSorted(),
  )
  for (const { file, path: where, integrity } of packages) {
    const bytes = await readFile(path.join(app, 'vendor/npm', file))
    const actual = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
    expect({ file, locked: integrity, npm: npm.packages[where]?.integrity }).toEqual({ file, locked: actual, npm: actual })
  }
})

test('the build script puts every package where Node looks for it', async () => {
  const installed = await build()
  for (const { path: where, name, version } of await locked()) {
    const manifest = JSON.parse(await readFile(path.join(installed, where, 'package.json'), 'utf8')) as { name: string; version: string }
    expect([manifest.name, manifest.version]).toEqual([name, version])
  }
})

test('one changed byte in an archive stops the build', async () => {
  await expect(
    build(async (vendor) => {
      const file = path.join(vendor, 'npm/express-4.21.2.tgz')
      const bytes = await readFile(file)
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
      await writeFile(file, bytes)
    }),
  ).rejects.toThrow(/express-4\.21\.2\.tgz: the lock says sha512-/)
})

test('an archive that the lock does not name stops the build', async () => {
  await expect(build((vendor) => writeFile(path.join(vendor, 'npm/left-pad-1.3.0.tgz'), ''))).rejects.toThrow(/disagree on: .*left-pad/)
})
