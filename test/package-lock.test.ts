import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from './repository.ts'

type Entry = {
  version?: string
  resolved?: string
  integrity?: string
  optional?: boolean
  os?: string[]
  cpu?: string[]
  optionalDependencies?: Record<string, string>
  hasInstallScript?: boolean
}
const packages = (JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, Entry> }).packages
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Record<
  'dependencies' | 'devDependencies' | 'allowScripts',
  Record<string, unknown>
>

describe('package-lock.json', () => {
  it('names the variants of all platforms, since npm ci refuses a lock that does not', () => {
    const missing = Object.entries(packages).flatMap(([from, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`node_modules/${name}` in packages || `${from}/node_modules/${name}` in packages),
      ),
    )
    expect(missing).toEqual([])
  })

  it('holds the digest of everything that Linux on amd64 installs, and no address to fetch it from', () => {
    const here = Object.entries(packages).filter(
      ([name, { os, cpu }]) => name !== '' && (os === undefined || os.includes('linux')) && (cpu === undefined || cpu.includes('x64')),
    )
    expect(here.length).toBeGreaterThan(100)
    // A musl variant is not installed beside the glibc one.
    expect(here.filter(([name, { integrity }]) => integrity === undefined && !name.endsWith('-musl')).map(([name]) => name)).toEqual([])
    expect(Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([])
  })

  it('has a decision of package.json for every install script', () => {
    const scripts = Object.entries(packages).filter(([, entry]) => entry.hasInstallScript === true)
    const undecided = scripts
      .map(([name]) => name.slice(name.lastIndexOf('node_modules/') + 'node_modules/'.length))
      .filter((name) => !(name in manifest.allowScripts))
    expect(undecided).toEqual([])
  })
})

it('package.json names exact versions', () => {
  const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
    ([, version]) => !/^\d+\.\d+\.\d+$/.test(String(version)),
  )
  expect(loose).toEqual([])
})
