import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BareRepository } from '../../verifier/source/testing/objects.ts'
import { writeBuiltFolder } from '../app/testing/built-folder.ts'
import { exitOfExplanation } from './commands/explain.ts'
import { readReading } from './open-use-cases.ts'
import { ran } from './testing/terminal.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-offline-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function recipe(files: Record<string, string>): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true })
    await writeFile(path.join(folder, name), content)
  }
  return folder
}

describe('recipe lint', () => {
  it('reads a recipe, says what it would build and opens nothing else', async () => {
    const source = await recipe({ 'mkosi.conf': '[Distribution]\nDistribution=debian\nRelease=bookworm\n[Output]\nFormat=tar\n' })
    const { exit, stdout, opened } = await ran(['recipe', 'lint', source])
    expect(stdout).toMatch(/^accepted\n {2}debian bookworm\n {2}image main: tar, 0 packages, 0 scripts\n/)
    expect([exit, opened]).toEqual([0, 0])
  })

  it('refuses what a rule refuses, and says the same as one document', async () => {
    const source = await recipe({
      'mkosi.conf': '[Distribution]\nDistribution=debian\n',
      'mkosi.sandbox/etc/apt/trusted.gpg.d/own.gpg': 'key',
    })
    const people = await ran(['recipe', 'lint', source])
    expect([people.exit, people.stdout.split('\n')[0]]).toEqual([1, 'refused'])
    const machine = await ran(['recipe', 'lint', source, '--json'])
    const document = JSON.parse(machine.stdout)
    expect(Object.keys(document).slice(0, 2)).toEqual(['schema', 'verdict'])
    expect(document).toMatchObject({ schema: 'bitwitness/recipe-lint/v1', verdict: 'refused', source: { kind: 'archive', sha256: null } })
    expect(document.findings.some((finding: { severity: string }) => finding.severity === 'refuse')).toBe(true)
  })

  it('takes the sources that the settings allow, and no others', async () => {
    const repository = new BareRepository(folder)
    const config = repository.object('blob', '[Distribution]\nDistribution=debian\nRelease=bookworm\n')
    repository.commit(repository.tree(['100644', 'mkosi.conf', config]))
    const source = `file://${repository.folder}`
    expect(await ran(['recipe', 'lint', source])).toMatchObject({ exit: 2, stderr: expect.stringContaining('source-protocol') })
    const reading = () => readReading({ BITWITNESS_SOURCES_ALLOW: 'plain-http local-repositories' })
    const { exit, stdout } = await ran(['recipe', 'lint', source], {}, { reading })
    expect([exit, stdout.split('\n')[0]]).toEqual([0, 'accepted'])
    const wrong = await ran(['recipe', 'lint', source], {}, { reading: () => readReading({ BITWITNESS_SOURCES_ALLOW: 'everything' }) })
    expect(wrong).toMatchObject({ exit: 2, stderr: expect.stringContaining('setting-invalid') })
  })

  it('reads a recipe for the version of mkosi that the settings name', async () => {
    const source = await recipe({ 'mkosi.conf': '[Distribution]\nDistribution=debian\nRelease=forky\n[Config]\nMinimumVersion=26\n' })
    const rules = async (version: string): Promise<string[]> => {
      const reading = () => readReading({ BITWITNESS_MKOSI: version })
      const { stdout } = await ran(['recipe', 'lint', source, '--json'], {}, { reading })
      return JSON.parse(stdout).findings.map((finding: { rule: string }) => finding.rule)
    }
    expect(await rules('25.3')).toContain('minimum-version')
    expect(await rules('27.1')).not.toContain('minimum-version')
  })

  it('says what is wrong with a source that is none', async () => {
    expect(await ran(['recipe', 'lint', 'ftp://host/x.git'])).toMatchObject({ exit: 2, stdout: '' })
    expect((await ran(['recipe', 'lint', path.join(folder, 'absent')])).exit).toBe(2)
  })
})

describe('explain', () => {
  it('ends with 0 where two files are the same and with 1 where they are not', async () => {
    await recipe({ a: 'same', b: 'same', c: 'other' })
    const [a, b, c] = ['a', 'b', 'c'].map((name) => path.join(folder, name)) as [string, string, string]
    expect((await ran(['explain', a, b])).exit).toBe(0)
    const { exit, stdout } = await ran(['explain', a, c, '--json'])
    expect(exit).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ schema: 'bitwitness/explanation/v1', left: a, right: c })
  })

  it('ends with 2 where a file is not there', async () => {
    const { exit, stderr } = await ran(['explain', path.join(folder, 'a'), path.join(folder, 'b')])
    expect(exit).toBe(2)
    expect(stderr).toContain('file-unreadable')
  })

  it('does not take what it could not compare for equal', () => {
    const totals = { added: 0, removed: 0, changed: 0, unlisted: 0, bytes: 0, ranges: 0 }
    const base = {
      schema: 'bitwitness/explanation/v1' as const,
      reason: null,
      left: 'l',
      right: 'r',
      totals,
      packages: [],
      findings: [],
      changes: [],
      ranges: [],
    }
    expect(exitOfExplanation({ ...base, state: 'skip' })).toBe(3)
    expect(exitOfExplanation({ ...base, state: 'truncated' })).toBe(3)
    expect(exitOfExplanation({ ...base, state: 'truncated', totals: { ...totals, ranges: 1 } })).toBe(1)
  })
})

describe('sbom', () => {
  it('writes the bill of a build and says where it is, opening nothing', async () => {
    await writeBuiltFolder(folder)
    const people = await ran(['sbom', folder])
    expect([people.exit, people.stderr, people.opened]).toEqual([0, '', 0])
    expect(people.stdout).toContain(path.join(folder, 'image.tar.cdx.json'))
    expect(people.stdout).toContain('2, 1 of them not in the input lock')
    const machine = await ran(['sbom', folder, '--artifact', 'image.tar', '-o', path.join(folder, 'bill'), '--json'])
    expect(Object.keys(JSON.parse(machine.stdout)).slice(0, 2)).toEqual(['schema', 'verdict'])
    expect(JSON.parse(machine.stdout)).toMatchObject({ file: path.join(folder, 'bill'), packages: { debian: 2, unlocked: 1, npm: 0 } })
  })

  it('ends with 2 where the folder is none that a build wrote, or has no such artifact', async () => {
    expect(await ran(['sbom', folder])).toMatchObject({ exit: 2, stdout: '' })
    await writeBuiltFolder(folder)
    expect((await ran(['sbom', folder, '--artifact', 'other.tar'])).stderr).toContain('artifact-unknown')
  })
})
