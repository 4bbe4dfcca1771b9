import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { PinnedSource } from '../../model/source.ts'
import { pinSource } from '../pin-source.ts'
import { parseSourceRef, type SourceAccess } from '../source-ref.ts'
import { serveGit } from '../testing/git-server.ts'
import { BareRepository } from '../testing/objects.ts'
import { git } from '../testing/programs.ts'
import { isEmpty, temporary } from '../testing/temporary.ts'

// They start programs, and share the machine with builds.
vi.setConfig({ testTimeout: 120_000 })

const ACCESS: SourceAccess = { files: false, localRepositories: true, plainHttp: true, privateHosts: true }

let root: string
let scratch: string
let parent: BareRepository
let commits: Record<'first' | 'main' | 'behindSide' | 'side' | 'behindTag' | 'tagged' | 'ofFork', string>

/** A parent and a fork that share objects, as on a forge: the parent gives out what only the fork has. */
beforeEach(async () => {
  root = await temporary()
  scratch = await temporary()
  parent = new BareRepository(root, 'parent.git')
  const fork = new BareRepository(root, 'fork.git')
  const tree = (text: string, repository = parent): string => repository.tree(['100644', 'file', repository.object('blob', text)])
  const first = parent.commit(tree('1'))
  const main = parent.commit(tree('2'), { parents: [first] })
  const behindSide = parent.commit(tree('3'), { parents: [first], ref: 'refs/heads/a/side' })
  const side = parent.commit(tree('4'), { parents: [behindSide], ref: 'refs/heads/a/side' })
  const behindTag = parent.commit(tree('5'), { ref: 'refs/tags/v1' })
  const tagged = parent.commit(tree('6'), { parents: [behindTag], ref: 'refs/tags/v1' })
  git(parent.folder, 'tag', '--annotate', '--force', '--message=x', 'v1', tagged)
  // What real repositories have as well: tags on a folder and on a single file.
  git(parent.folder, 'tag', '--annotate', '--message=x', 'a-folder', tree('7'))
  git(parent.folder, 'tag', 'a-file', parent.object('blob', '8'))
  git(fork.folder, 'fetch', '--quiet', parent.folder, 'main')
  const ofFork = fork.commit(tree('9', fork), { parents: [main] })
  await writeFile(path.join(parent.folder, 'objects/info/alternates'), `${fork.folder}/objects\n`)
  commits = { first, main, behindSide, side, behindTag, tagged, ofFork }
})

async function pin(url: string, revision: string): Promise<PinnedSource> {
  const resolve = async (): Promise<string[]> => ['127.0.0.1']
  await using tree = await pinSource(parseSourceRef(`${url}#${revision}`, ACCESS), { scratch, access: ACCESS, resolve })
  return tree.pinned
}

const CASES = [
  ['first', 'refs/heads/main'],
  ['main', 'refs/heads/main'],
  ['behindSide', 'refs/heads/a/side'],
  ['side', 'refs/heads/a/side'],
  ['behindTag', 'refs/tags/v1'],
  ['tagged', 'refs/tags/v1'],
  ['ofFork', null],
] as const

describe.each(['https, here http', 'file'])('over %s', (transport) => {
  it('finds a name for each commit, and none for one of a fork', async () => {
    await using server = await serveGit({ root })
    const url = transport === 'file' ? `file://${parent.folder}` : `${server.url}parent.git`
    const found: Record<string, unknown> = {}
    for (const [name] of CASES) {
      const pinned = await pin(url, commits[name])
      expect(pinned).toMatchObject({ kind: 'git', url, commit: commits[name], path: '.' })
      found[name] = pinned.kind === 'git' ? pinned.ref : undefined
    }
    expect(found).toEqual(Object.fromEntries(CASES))
    expect(await isEmpty(scratch)).toBe(true)
  })

  it('resolves what is asked for', async () => {
    await using server = await serveGit({ root })
    const url = transport === 'file' ? `file://${parent.folder}` : `${server.url}parent.git`
    expect(await pin(url, '')).toMatchObject({ commit: commits.main, ref: 'refs/heads/main' })
    expect(await pin(url, 'a/side')).toMatchObject({ commit: commits.side, ref: 'refs/heads/a/side' })
    expect(await pin(url, 'refs/tags/v1')).toMatchObject({ commit: commits.tagged, ref: 'refs/tags/v1' })
    for (const revision of ['none', 'side', 'refs/heads/a', 'HEAD', 'refs/pull/1/head', commits.main.slice(0, 12)])
      await expect(pin(url, revision)).rejects.toMatchObject({ code: 'source-ref-missing' })
    for (const revision of [
      '1'.repeat(40),
      'a-folder',
      'a-file',
      git(parent.folder, 'rev-parse', 'main^{tree}'),
      git(parent.folder, 'rev-parse', 'v1'),
    ])
      await expect(pin(url, revision)).rejects.toMatchObject({ code: 'source-commit-missing' })
    expect(await isEmpty(scratch)).toBe(true)
  })
})

it('takes tips from servers of the old protocol, and says what to do about other commits', async () => {
  await using server = await serveGit({ root, protocol: 0 })
  const url = `${server.url}parent.git`
  expect(await pin(url, 'v1')).toMatchObject({ commit: commits.tagged, ref: 'refs/tags/v1' })
  expect(await pin(url, commits.side)).toMatchObject({ ref: 'refs/heads/a/side' })
  await expect(pin(url, commits.first)).rejects.toMatchObject({ code: 'source-commit-missing' })
})

it('refuses a name that is a branch and a tag', async () => {
  git(parent.folder, 'tag', 'main', commits.first)
  const url = `file://${parent.folder}`
  await expect(pin(url, 'main')).rejects.toMatchObject({ code: 'source-ref-ambiguous' })
  expect(await pin(url, 'refs/tags/main')).toMatchObject({ commit: commits.first, ref: 'refs/tags/main' })
})

it('asks for a commit that a branch is named after, not for the branch', async () => {
  git(parent.folder, 'update-ref', `refs/heads/${commits.first}`, commits.side)
  expect(await pin(`file://${parent.folder}`, commits.first)).toMatchObject({ commit: commits.first, ref: 'refs/heads/main' })
})

it('gives a repository without a branch of its own name no default', async () => {
  git(parent.folder, 'symbolic-ref', 'HEAD', 'refs/heads/none')
  await expect(pin(`file://${parent.folder}`, '')).rejects.toMatchObject({ code: 'source-ref-missing' })
})

it('pins a repository with SHA-256 names', async () => {
  const folder = path.join(root, 'new')
  git(root, 'init', '--quiet', '--object-format=sha256', '--initial-branch=main', folder)
  git(folder, 'commit', '--quiet', '--allow-empty', '--message=1')
  const first = git(folder, 'rev-parse', 'HEAD')
  git(folder, 'commit', '--quiet', '--allow-empty', '--message=2')
  expect(first).toHaveLength(64)
  expect(await pin(`git+file://${folder}`, first)).toMatchObject({ commit: first, ref: 'refs/heads/main' })
})
