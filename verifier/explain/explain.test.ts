import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Explanation } from '../model/explanation.ts'
import { explain } from './explain.ts'
import { EXPLAIN_LIMITS } from './limits.ts'
import { manifestText, pieces, type TestTree, writeTar } from './testing/trees.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-explain-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

let count = 0
async function explained(left: TestTree, right: TestTree, limits = EXPLAIN_LIMITS): Promise<Explanation> {
  count += 1
  const side = async (tree: TestTree, label: string) => ({
    manifest: pieces(manifestText(tree)),
    file: await writeTar(path.join(folder, `${label}-${count}.tar`), tree),
    label,
  })
  // What is printed must be what the schema takes.
  return Explanation.parse(await explain({ left: await side(left, 'left'), right: await side(right, 'right'), limits }))
}

const rulesOf = (explanation: Explanation): Record<string, readonly string[]> =>
  Object.fromEntries(explanation.changes.map((change) => [change.path, change.rules]))

const status = (packages: Record<string, string>): string =>
  Object.entries(packages)
    .map(
      ([name, version]) =>
        `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\nDescription: x\n Package: y\n`,
    )
    .join('\n')

describe('explain', () => {
  it('finds the package of each path without going through all packages', async () => {
    const build = (one: string): TestTree => ({
      'var/lib/dpkg/status': status(Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`p${index}`, one]))),
      ...Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`usr/share/doc/p${index}/x`, { content: one }])),
    })
    const find = vi.spyOn(Array.prototype, 'find')
    const { changes } = await explained(build('1'), build('2'))
    const walks = find.mock.contexts.filter((list) => (list as unknown[]).length >= 2000)
    find.mockRestore()
    expect(changes.filter(({ rules }) => rules.includes('package-drift'))).toHaveLength(50)
    expect(walks).toHaveLength(0)
  })

  it('has nothing to say about equal trees', async () => {
    const tree = { a: 'x', b: {} }
    expect(await explained(tree, tree)).toMatchObject({ state: 'complete', reason: null, changes: [], findings: [], packages: [] })
  })

  it('explains the four causes that recipes meet first, without showing a hash or a key', async () => {
    const build = (one: string): TestTree => ({
      'etc/shadow': `root:$6$salt${one}$hash${one}:19693:0:99999:7:::\ndaemon:*:19693:0:99999:7:::\n`,
      'etc/ssh/ssh_host_rsa_key': `-----BEGIN OPENSSH PRIVATE KEY-----\nsecret${one}\n`,
      'usr/share/x': { content: 'x', mtime: `170000000${one}` },
      'var/cache/ldconfig/aux-cache': `\0${one}`,
      'var/log/alternatives.log': `update-alternatives 2026-11-2${one} 10:00:00: run\n`,
    })
    const explanation = await explained(build('1'), build('2'))
    expect(explanation.state).toBe('complete')
    expect(rulesOf(explanation)).toEqual({
      'etc/shadow': ['root-password-salt'],
      'etc/ssh/ssh_host_rsa_key': ['ssh-host-keys'],
      'usr/share/x': ['mtime'],
      'var/cache/ldconfig/aux-cache': ['ldconfig-aux-cache'],
      'var/log/alternatives.log': ['alternatives-log'],
    })
    expect(JSON.stringify(explanation)).not.toMatch(/hash1|hash2|secret1|secret2|\$6\$/)
  })

  it('attributes files to packages that differ, through merged folders and diversions', async () => {
    const build = (version: string): TestTree => ({
      lib: { link: 'usr/lib' },
      'usr/bin/true.real': version,
      'usr/lib/libx.so': version,
      'usr/share/doc/libx': {},
      'usr/share/doc/libx/changelog.gz': version,
      'usr/share/own': version,
      'var/lib/dpkg/diversions': '/usr/bin/true\n/usr/bin/true.real\nother\n',
      'var/lib/dpkg/info/libx:amd64.list': '/.\n/lib\n/lib/libx.so\n/usr/bin/true\n',
      'var/lib/dpkg/info/other.list': '/.\n/usr\n/usr/bin/true\n',
      'var/lib/dpkg/status': status({ libx: version, other: '1' }),
    })
    const explanation = await explained(build('1.9-1'), build('1.10-1'))
    expect(explanation.packages).toEqual([
      { name: 'libx', architecture: 'amd64', kind: 'upgraded', left: '1.9-1', right: '1.10-1', paths: 3 },
    ])
    expect(rulesOf(explanation)).toEqual({
      'usr/bin/true.real': ['package-drift'],
      'usr/lib/libx.so': ['package-drift'],
      'usr/share/doc/libx/changelog.gz': ['package-drift'],
      'usr/share/own': ['content-changed'],
      'var/lib/dpkg/status': ['dpkg-database'],
    })
    expect(explanation.findings.find((finding) => finding.rule === 'package-drift')?.evidence).toEqual(['libx 1.9-1 → 1.10-1'])
  })

  it('calls unexplained what it cannot explain, and names the path', async () => {
    const build = (text: string): TestTree => ({
      'usr/bin/x': text,
      'var/lib/dpkg/info/x.list': '/usr/bin/x\n',
      'var/lib/dpkg/status': status({ x: '1' }),
    })
    const explanation = await explained(build('one'), build('two'))
    expect(rulesOf(explanation)).toEqual({ 'usr/bin/x': ['unexplained'] })
    expect(explanation.findings).toMatchObject([{ rule: 'unexplained', path: 'usr/bin/x' }])
    expect(explanation.changes[0]?.content?.diff).toEqual([
      '@@ -1,1 +1,1 @@',
      '-one',
      String.raw`\ No newline at end of file`,
      '+two',
      String.raw`\ No newline at end of file`,
    ])
  })

  it('explains from manifests alone and says that contents were not seen', async () => {
    const side = (text: string, label: string) => ({ manifest: pieces(manifestText({ f: text })), file: null, label })
    const explanation = await explain({ left: side('a', 'one'), right: side('b', 'two') })
    expect(explanation).toMatchObject({ state: 'truncated', reason: 'the bytes of one are not at hand; the bytes of two are not at hand' })
    expect(rulesOf(explanation)).toEqual({ f: ['unexplained'] })
  })

  it('says so where there is nothing to compare', async () => {
    const side = { manifest: null, file: null, label: 'x' }
    expect(await explain({ left: side, right: side })).toMatchObject({ state: 'skip', changes: [] })
  })

  it('keeps to its bounds and says what it left out', async () => {
    const build = (text: string): TestTree => Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`f${index}`, text]))
    const explanation = await explained(build('a'), build('b'), { ...EXPLAIN_LIMITS, maxChanges: 20, maxInspected: 5, maxSamples: 3 })
    expect(explanation.state).toBe('truncated')
    expect(explanation.reason).toBe('10 differing paths are not listed; the contents of 15 files were not looked into')
    expect(explanation.totals).toMatchObject({ changed: 30, unlisted: 10 })
    expect(explanation.findings[0]?.evidence).toHaveLength(4)
    expect(explanation.findings[0]?.evidence.at(-1)).toBe('and 17 more')
  })

  it('stops looking into contents when the time is up, and still names every path', async () => {
    const explanation = await explained({ a: 'x', b: 'x' }, { a: 'y', b: 'y' }, { ...EXPLAIN_LIMITS, maxInspectionTime: -1 })
    expect(explanation).toMatchObject({ state: 'truncated', reason: 'the contents of 2 files were not looked into' })
    expect(explanation.changes.map((change) => change.path)).toEqual(['a', 'b'])
  })

  it('stops when it is told to', async () => {
    const side = (text: string) => ({ manifest: pieces(manifestText({ f: text })), file: null, label: 'x' })
    await expect(explain({ left: side('a'), right: side('b'), signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  })

  it('shows hostile names and lines and obeys none', async () => {
    const name = 'etc/\x1b[31m\u202eevil'
    const build = (text: string): TestTree => ({
      [Buffer.from(name).toString('latin1')]: `\x1b]0;${text}\x07\n\u202e${'plain text '.repeat(20)}`.replaceAll('\u202e', '\xe2\x80\xae'),
    })
    const text = JSON.stringify(await explained(build('a'), build('b')))
    expect(text).toContain(String.raw`\\x1b]0;a\\x07`)
    expect(/[\p{Cc}\p{Cf}]/u.test(text)).toBe(false)
  })
})
