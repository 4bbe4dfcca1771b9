import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { linkProgram } from './link-program.ts'

let root: string

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'link-program-'))
  await mkdir(path.join(root, 'src', 'bin'), { recursive: true })
  await writeFile(path.join(root, 'src', 'bin', 'bitwitness.js'), '#!/bin/sh\necho "ran $1"\n', { mode: 0o755 })
})
afterEach(() => rm(root, { recursive: true, force: true }))

it('makes the program a command of node_modules/.bin, and again where it is one', async () => {
  await linkProgram(root)
  await linkProgram(root)
  const program = path.join(root, 'node_modules', '.bin', 'bitwitness')
  expect(execFileSync(program, ['doctor'], { encoding: 'utf8' })).toBe('ran doctor\n')
})

it('takes the place of a link that leads nowhere', async () => {
  const moved = path.join(root, 'moved')
  await linkProgram(moved)
  await expect(linkProgram(moved)).resolves.toBeUndefined()
})
