import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildLab, findLab, isBuilt, type Lab } from './sigstore-lab.ts'

let folder: string
let lab: Lab
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-lab-'))
  lab = { folder: path.join(folder, 'lab'), state: path.join(folder, 'state') }
  await mkdir(lab.folder)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** A build of the test's own; `$1` is where it works. */
async function scripted(build: string): Promise<void> {
  await writeFile(path.join(lab.folder, 'build-all.sh'), `set -eu\n${build}\n`)
  await writeFile(path.join(lab.folder, 'stack.sh'), '')
}

const parts = async (): Promise<string[]> => (await readdir(lab.state)).filter((name) => name.startsWith('part'))

const BUILD = 'mkdir -p "$1/bin" "$1/sources"; echo built >"$1/bin/server"; echo once >>"$1/../count"'
const TIME = 60_000

describe('the servers of the lab', () => {
  it('are looked for where the environment says, and are not there where it says nothing or a folder without scripts', async () => {
    expect([findLab({}), findLab({ BITWITNESS_LAB: '' }), findLab({ BITWITNESS_LAB: lab.folder })]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    await scripted(BUILD)
    expect(findLab({ BITWITNESS_LAB: lab.folder }, lab.state)).toEqual(lab)
  })

  it('are built once, and again when what they are built from changes; the sources are not kept', async () => {
    await scripted(BUILD)
    expect(isBuilt(lab)).toBe(false)
    for (let time = 0; time < 2; time += 1) expect(await buildLab(lab).ready(TIME)).toBeUndefined()
    expect(isBuilt(lab)).toBe(true)
    expect(await readFile(path.join(lab.state, 'bin/server'), 'utf8')).toBe('built\n')
    expect([await readFile(path.join(lab.state, 'count'), 'utf8'), await parts()]).toEqual(['once\n', []])
    await writeFile(path.join(lab.folder, 'shim.go'), 'package shim')
    expect(isBuilt(lab)).toBe(false)
    expect(await buildLab(lab).ready(TIME)).toBeUndefined()
    expect(await readFile(path.join(lab.state, 'count'), 'utf8')).toBe('once\nonce\n')
  })

  it('are not there after a build that failed, whose reason is told with its log', async () => {
    await scripted(`${BUILD}; echo why; exit 7`)
    const reason = await buildLab(lab).ready(TIME)
    expect(reason).toMatch(/^the servers could not be built \(exit code 7\): see .*build\.log$/)
    expect([isBuilt(lab), await readFile(path.join(lab.state, 'build.log'), 'utf8')]).toEqual([false, 'why\n'])
  })

  it('are not waited for longer than was given, and what builds them is ended with everything that it started', async () => {
    const pipe = path.join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    await scripted(`sleep 1000 >"${pipe}" & wait`)
    const build = buildLab(lab)
    // Opened once the other end is; at its end once nothing that the build started holds it any more.
    await using held = await open(pipe)
    expect(await build.ready(1)).toMatch(/^the servers were not built in time: see .*build\.log$/)
    expect(await held.readFile('utf8')).toBe('')
    expect(isBuilt(lab)).toBe(false)
  })

  it('are built from nothing where an earlier build was ended', async () => {
    await scripted(`[ ! -e "$1" ] || exit 9; mkdir -p "$1"; exit 1`)
    const reasons = [await buildLab(lab).ready(TIME), await buildLab(lab).ready(TIME)]
    expect(reasons).toEqual([expect.stringContaining('(exit code 1)'), expect.stringContaining('(exit code 1)')])
  })
})
