import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'

const root = path.join(import.meta.dirname, '..')
const IMPORT = /import (?:type )?\{([^}]*)\} from '[./]*\/attestations\/(?!\S*\/testing\/)[^']*'/g

/** Names between the braces of an import or export. */
function names(list: string): string[] {
  return list.split(',').flatMap((name) => name.trim().replace(/^type /, '') || [])
}

/** Folders that use the statements as others would, and load only the files that they need. */
const used = ['src', 'tools'].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('/testing/'))
    .flatMap((file) => [...readFileSync(path.join(root, folder, file), 'utf8').matchAll(IMPORT)].flatMap(([, list = '']) => names(list))),
)

it('exports all that the rest of the project takes from here', () => {
  const index = readFileSync(path.join(root, 'attestations/index.ts'), 'utf8')
  const exported = new Set([...index.matchAll(/export (?:type )?\{([^}]*)\} from/g)].flatMap(([, list = '']) => names(list)))
  expect(used).toEqual(expect.arrayContaining(['sigstoreSigner', 'verifyAttestation', 'AttestationPolicy']))
  expect([...new Set(used)].filter((name) => !exported.has(name))).toEqual([])
})
