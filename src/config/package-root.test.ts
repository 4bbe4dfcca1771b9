import { existsSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { findPackage } from './package-root.ts'

it('finds the folder of the package and its version', () => {
  const found = findPackage()
  expect(existsSync(path.join(found.root, 'src', 'config', 'package-root.ts'))).toBe(true)
  expect(found.version).toBe(JSON.parse(readFileSync(path.join(found.root, 'package.json'), 'utf8')).version)
})

it('does not take another package for its own', () => {
  expect(() => findPackage(tmpdir())).toThrow('package.json of bitwitness')
})
