import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { root } from './repository.ts'

it('the migrations lead to the schema in the code', () => {
  mkdirSync(path.join(root, '.tools'), { recursive: true })
  // drizzle-kit takes paths relative to where it runs.
  const folder = mkdtempSync(path.join(root, '.tools', 'migrations-'))
  try {
    cpSync(path.join(root, 'drizzle'), folder, { recursive: true })
    const before = readdirSync(folder)
    const kit = [path.join(root, 'node_modules/drizzle-kit/bin.cjs'), 'generate', '--dialect', 'postgresql', '--schema', './src/db/schema']
    const said = execFileSync(process.execPath, [...kit, '--out', path.relative(root, folder)], { cwd: root, encoding: 'utf8' })
    expect(said).toContain('No schema changes')
    expect(readdirSync(folder)).toEqual(before)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
