/**
 * Makes vendor/npm and vendor/npm.lock.json again from vendor/package-lock.json.
 *
 *     npm --prefix vendor install --package-lock-only     after a change of vendor/package.json
 *     node vendor.ts                                      needs npm and its registry; everything else here needs neither
 *
 * An archive is kept only if its sha512 is the one in package-lock.json. The registry is whatever npm is set up to use:
 * which one it was is not written down, since the bytes are what counts.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

type Locked = { readonly version: string; readonly integrity: string; readonly license?: string }
type Vendored = { path: string; name: string; version: string; license: string; file: string; integrity: string }

const vendor = path.join(import.meta.dirname, 'vendor')

const packages = vendored(await readFile(path.join(vendor, 'package-lock.json'), 'utf8'))
await mkdir(vendor, { recursive: true })
const fresh = await mkdtemp(path.join(vendor, '.npm-'))
try {
  await fetchArchives(packages, fresh)
  await chmod(fresh, 0o755)
  await rm(path.join(vendor, 'npm'), { recursive: true, force: true })
  await rename(fresh, path.join(vendor, 'npm'))
} finally {
  await rm(fresh, { recursive: true, force: true })
}
const lock = { schema: 'bitwitness-reference-app/npm-lock/v1', packages }
await writeFile(path.join(vendor, 'npm.lock.json'), `${JSON.stringify(lock, null, 1)}\n`)
process.stdout.write(`vendored ${packages.length} packages\n`)

function vendored(text: string): Vendored[] {
  const { packages: locked } = JSON.parse(text) as { packages: Record<string, Locked> }
  return Object.entries(locked)
    .filter(([where]) => where !== '')
    .map(([where, { version, integrity, license }]) => {
      const name = where.slice(where.lastIndexOf('node_modules/') + 'node_modules/'.length)
      if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity)) throw new Error(`${name} has no sha512 in package-lock.json`)
      // As npm names it: a scope's @ goes, its slash becomes a dash.
      const file = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`
      return { path: where, name, version, license: license ?? 'unknown', file, integrity }
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}

async function fetchArchives(wanted: readonly Vendored[], folder: string): Promise<void> {
  const specs = [...new Set(wanted.map(({ name, version }) => `${name}@${version}`))]
  await promisify(execFile)('npm', ['pack', '--silent', '--pack-destination', folder, '--', ...specs], { cwd: vendor, maxBuffer: 1 << 24 })
  for (const { file, integrity } of wanted) {
    const bytes = await readFile(path.join(folder, file))
    const actual = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
    if (actual !== integrity) throw new Error(`${file} is ${actual}, package-lock.json says ${integrity}`)
  }
}
