import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { type ServiceArchive, serviceArchives } from './service-archives.ts'

/**
 * `node tools/vendor-service.ts`: gathers in mkosi/service/vendor what the service's image is made of beside Debian's packages: Node.js, the
 * program as `npm pack` gives it, and every package that it needs at run time, each by the sha512 of a lock. Needs npm and its registry; the
 * build that follows needs neither.
 */
const root = path.join(import.meta.dirname, '..')
const vendor = path.join(root, 'mkosi', 'service', 'vendor')

const run = promisify(execFile)
const archives = serviceArchives(
  await readFile(path.join(root, 'package-lock.json'), 'utf8'),
  await readFile(path.join(root, 'mkosi', 'service', 'node.json'), 'utf8'),
)

await mkdir(vendor, { recursive: true })
const fresh = await mkdtemp(path.join(vendor, '.npm-'))
try {
  await fetchArchives(archives, fresh)
  const own = await packProgram(fresh)
  await chmod(fresh, 0o755)
  await rm(path.join(vendor, 'npm'), { recursive: true, force: true })
  await rename(fresh, path.join(vendor, 'npm'))
  const lock = { schema: 'bitwitness-service/npm-lock/v1', packages: [own, ...archives] }
  await writeFile(path.join(vendor, 'npm.lock.json'), `${JSON.stringify(lock, null, 1)}\n`)
  console.log(`vendored ${lock.packages.length} packages`)
} finally {
  await rm(fresh, { recursive: true, force: true })
}

async function fetchArchives(wanted: readonly ServiceArchive[], folder: string): Promise<void> {
  const specs = [...new Set(wanted.map(({ name, version }) => `${name}@${version}`))]
  await pack(['--prefer-offline', '--pack-destination', folder, '--', ...specs], folder)
  for (const { file, integrity } of wanted) {
    const actual = await integrityOf(path.join(folder, file))
    if (actual !== integrity) throw new Error(`${file} is ${actual}, the lock says ${integrity}`)
  }
}

/** The program itself: compiled here, and packed as npm packs it, which has no time in it. */
async function packProgram(folder: string): Promise<ServiceArchive> {
  await run(process.execPath, [path.join(root, 'tools', 'build.ts')], { cwd: root })
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { version: string }
  const file = `bitwitness-${version}.tgz`
  await pack(['--pack-destination', folder], root)
  return {
    path: 'opt/bitwitness',
    name: 'bitwitness',
    version,
    license: 'Apache-2.0',
    file,
    integrity: await integrityOf(path.join(folder, file)),
  }
}

async function pack(args: readonly string[], cwd: string): Promise<void> {
  await run('npm', ['pack', '--silent', '--ignore-scripts', ...args], { cwd, maxBuffer: 1 << 24 })
}

async function integrityOf(file: string): Promise<string> {
  return `sha512-${createHash('sha512')
    .update(await readFile(file))
    .digest('base64')}`
}
