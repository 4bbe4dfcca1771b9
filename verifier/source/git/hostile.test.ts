import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { SOURCE_LIMITS, type SourceLimits } from '../limits.ts'
import { pinSource } from '../pin-source.ts'
import type { PinnedTree } from '../pinned-tree.ts'
import { parseSourceRef, STRANGERS_ACCESS } from '../source-ref.ts'
import { Spool } from '../spool.ts'
import { BareRepository } from '../testing/objects.ts'
import { git, run } from '../testing/programs.ts'
import { isEmpty, temporary } from '../testing/temporary.ts'
import { readCommit } from './commit-tree.ts'
import { Git } from './git.ts'

// They start programs, and share the machine with builds.
vi.setConfig({ testTimeout: 120_000 })

const ACCESS = { ...STRANGERS_ACCESS, localRepositories: true }

let root: string
let scratch: string
let repository: BareRepository
let blob: string
beforeEach(async () => {
  root = await temporary()
  scratch = await temporary()
  repository = new BareRepository(root)
  blob = repository.object('blob', 'content')
})

async function pin(o: { fragment?: string; limits?: Partial<SourceLimits> } = {}): Promise<PinnedTree> {
  const ref = parseSourceRef(`file://${repository.folder}#${o.fragment ?? ''}`, ACCESS)
  return pinSource(ref, { scratch, access: ACCESS, limits: o.limits ?? {} })
}

async function refusal(o: Parameters<typeof pin>[0] = {}): Promise<string> {
  const error = await pin(o).then(
    async (tree) => {
      await tree[Symbol.asyncDispose]()
      return { code: 'taken' }
    },
    (reason: unknown) => reason,
  )
  expect(await isEmpty(scratch)).toBe(true)
  return (error as { code: string }).code
}

/** Reads the objects where they are, as if they had come past git's own checks. */
async function refusalUnchecked(commit: string): Promise<string> {
  const home = await temporary()
  const offline = new Git({ program: 'git', home, protocols: [], config: [], signal: new AbortController().signal, maxTime: 60_000 })
  await using spool = await Spool.create(home)
  const reading = readCommit(offline, repository.folder, { commit, path: '.', spool, limits: SOURCE_LIMITS })
  const error = await reading.then(
    () => ({ code: 'taken' }),
    (reason: unknown) => reason,
  )
  return (error as { code: string }).code
}

describe("a tree that git's own checks refuse is refused without them as well", () => {
  const nested = (name: string) => () => repository.tree(['40000', name, repository.tree(['100644', 'config', blob])])
  it.each([
    ['.git', 'source-name-refused', nested('.git')],
    ['..', 'source-name-refused', nested('..')],
    ['.', 'source-name-refused', nested('.')],
    ['a slash', 'source-name-refused', () => repository.tree(['100644', '/etc/passwd', blob])],
    ['a path', 'source-name-refused', () => repository.tree(['100644', 'a/../../b', blob])],
    ['no name', 'source-objects-malformed', () => repository.tree(['100644', '', blob])],
    ['a file twice', 'source-path-duplicate', () => repository.tree(['100644', 'a', blob], ['100644', 'a', blob])],
    [
      'a file and a folder of one name',
      'source-path-duplicate',
      () => repository.tree(['120000', 'a', blob], ['40000', 'a', repository.tree(['100644', 'b', blob])]),
    ],
  ])('%s: %s', async (_, code, make) => {
    const commit = repository.commit(make())
    expect(await refusalUnchecked(commit)).toBe(code)
    expect(await refusal()).toBe('source-objects-malformed')
  })
})

it('takes names with control, bidi and foreign bytes as they are, and shows them escaped', async () => {
  repository.commit(
    repository.tree(
      ['100644', '\x1b[31m', blob],
      ['100644', '--x', blob],
      ['100644', 'a\nb', blob],
      ['100644', '\xe2\x80\xae', blob],
      ['100644', '\xff', blob],
    ),
  )
  await using tree = await pin()
  expect(tree.tree.entries.map((entry) => entry.path)).toEqual(['\\x1b[31m', '--x', 'a\\x0ab', '\\xe2\\x80\\xae', '\\xff'])
})

it('obeys no attribute of the repository', async () => {
  const files = {
    '.gitattributes': 'left-out export-ignore\nfilled-in export-subst\ncrlf text eol=crlf\nfiltered filter=lfs\n',
    crlf: 'a\nb\n',
    'filled-in': '$Format:%H$\n',
    filtered: 'version https://git-lfs.github.com/spec/v1\n',
    'left-out': 'here\n',
  }
  repository.commit(
    repository.tree(...Object.entries(files).map(([name, text]) => ['100644', name, repository.object('blob', text)] as const)),
  )
  await using tree = await pin()
  expect(Object.fromEntries(tree.tree.entries.map(({ path: name }) => [name, tree.tree.text(name)]))).toEqual(files)
})

it('refuses submodules in the folder, and only there', async () => {
  const conf = repository.tree(['100644', 'mkosi.conf', blob])
  const module = repository.tree(['160000', 'module', '1'.repeat(40)])
  repository.commit(repository.tree(['40000', 'recipe', conf], ['40000', 'with', module]))
  expect(await refusal()).toBe('source-submodules')
  expect(await refusal({ fragment: ':with' })).toBe('source-submodules')
  expect(await refusal({ fragment: ':with/module' })).toBe('source-submodules')
  expect(await refusal({ fragment: ':recipe' })).toBe('taken')
  expect(await refusal({ fragment: ':recipe/mkosi.conf' })).toBe('source-path-missing')
  expect(await refusal({ fragment: ':reci*' })).toBe('source-path-missing')
  expect(await refusal({ fragment: ':(top)recipe' })).toBe('source-path-missing')
})

it('takes a branch named like an option for a branch', async () => {
  const witness = path.join(root, 'witness')
  repository.commit(repository.tree(), { ref: `refs/heads/--upload-pack=touch\u00a0${witness}` })
  const commit = repository.commit(repository.tree(['100644', 'a', blob]), { ref: 'refs/heads/--upload-pack=x' })
  repository.commit(repository.tree(), { parents: [commit], ref: 'refs/heads/--upload-pack=x' })
  await using tree = await pin({ fragment: commit })
  expect(tree.pinned).toMatchObject({ commit, ref: 'refs/heads/--upload-pack=x' })
  expect(existsSync(witness)).toBe(false)
})

it('runs no hook, filter or command that the machine, the repository or its settings name', async () => {
  const witness = path.join(root, 'witness')
  const before = repository.commit(repository.tree(['100644', 'a', blob]))
  repository.commit(repository.tree(), { parents: [before] })
  const script = path.join(root, 'script')
  await writeFile(script, `#!/bin/sh\ntouch ${witness}\nexec "$@"\n`)
  await chmod(script, 0o755)
  await mkdir(path.join(repository.folder, 'hooks'), { recursive: true })
  for (const hook of ['reference-transaction', 'post-checkout', 'pre-auto-gc'])
    await writeFile(path.join(repository.folder, 'hooks', hook), `#!/bin/sh\ntouch ${witness}\n`, { mode: 0o755 })
  for (const key of [
    'uploadpack.packObjectsHook',
    'core.fsmonitor',
    'core.alternateRefsCommand',
    'core.sshCommand',
    'filter.x.smudge',
    'core.pager',
  ])
    git(repository.folder, 'config', key, script)
  expect(await refusal({ fragment: before })).toBe('taken')
  expect(existsSync(witness)).toBe(false)
})

it("inherits nothing of this process's environment", async () => {
  const witness = path.join(root, 'witness')
  vi.stubEnv('GIT_TRACE', witness)
  vi.stubEnv('GIT_CONFIG_COUNT', '1')
  vi.stubEnv('GIT_CONFIG_KEY_0', 'url.file:///nonexistent/.insteadOf')
  vi.stubEnv('GIT_CONFIG_VALUE_0', 'file://')
  vi.stubEnv('GIT_OBJECT_DIRECTORY', '/nonexistent')
  try {
    const ref = parseSourceRef(`file://${repository.folder}`, ACCESS)
    await expect(pinSource(ref, { scratch, access: ACCESS })).rejects.toMatchObject({ code: 'source-ref-missing' })
  } finally {
    vi.unstubAllEnvs()
  }
  expect(existsSync(witness)).toBe(false)
})

it('does not see what refs/replace says a commit is', async () => {
  const real = repository.commit(repository.tree(['100644', 'real', blob]))
  const other = repository.commit(repository.tree(['100644', 'other', blob]), { ref: 'refs/heads/other' })
  git(repository.folder, 'replace', real, other)
  await using tree = await pin({ fragment: real })
  expect(tree.tree.entries.map((entry) => entry.path)).toEqual(['real'])
})

it.runIf(process.getuid?.() === 0)("refuses another user's repository on this machine", async () => {
  repository.commit(repository.tree())
  await chown(repository.folder, 12345, 12345)
  expect(await refusal()).toBe('source-repository-owner')
})

describe('what is made to exhaust is stopped', () => {
  it('a commit with a message of 64 MiB is read past', async () => {
    repository.commit(repository.tree(['100644', 'a', blob]), { message: 'x'.repeat(64 * 1024 ** 2) })
    expect(await refusal()).toBe('taken')
    expect(await refusal({ limits: { maxFetchSize: 1024 } })).toBe('source-size-limit')
  })

  it('a few trees that stand for ten thousand million files', async () => {
    let tree = repository.tree(...names('f').map((name) => ['100644', name, blob] as const))
    for (let level = 0; level < 9; level += 1) tree = repository.tree(...names('d').map((name) => ['40000', name, tree] as const))
    repository.commit(tree)
    expect(await refusal()).toBe('source-entries-limit')
  })

  it('a path of 3000 folders', async () => {
    const input = `blob\nmark :1\ndata 1\nx\ncommit refs/heads/main\ncommitter A <a@b> 1700000000 +0000\ndata 1\nx\nM 100644 :1 ${'d/'.repeat(3000)}f\n`
    run('git', ['fast-import', '--quiet'], { cwd: repository.folder, input })
    expect(await refusal()).toBe('source-depth-limit')
  })

  it('a tree whose paths alone would fill the memory', async () => {
    const long = 'n'.repeat(200)
    let tree = repository.tree(...names('f').map((name) => ['100644', `${name}${long}`, blob] as const))
    for (let level = 0; level < 3; level += 1)
      tree = repository.tree(...names('d').map((name) => ['40000', `${name}${long}`, tree] as const))
    repository.commit(tree)
    expect(await refusal({ limits: { maxPathsSize: 1024 ** 2 } })).toBe('source-paths-limit')
    expect(await refusal()).toBe('taken')
  })

  it('one blob under a thousand names, or larger than allowed', async () => {
    repository.commit(repository.tree(...Array.from({ length: 1000 }, (_, index) => ['100644', `f${1000 + index}`, blob] as const)))
    expect(await refusal({ limits: { maxTotalSize: 6999 } })).toBe('source-size-limit')
    expect(await refusal({ limits: { maxTotalSize: 7000 } })).toBe('taken')
    expect(await refusal({ limits: { maxFileSize: 6 } })).toBe('source-file-size-limit')
    expect(await refusal({ limits: { maxRefs: 0 } })).toBe('source-refs-limit')
  })

  it('a link whose target is a file of its own size', async () => {
    const target = repository.object('blob', 'a'.repeat(5000))
    repository.commit(repository.tree(['120000', 'link', target]))
    expect(await refusal()).toBe('source-link-malformed')
  })
})

function names(letter: string): readonly string[] {
  return Array.from({ length: 10 }, (_, index) => `${letter}${index}`)
}
