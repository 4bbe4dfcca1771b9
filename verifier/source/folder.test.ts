import { once } from 'node:events'
import { chmod, link, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, expect, it, vi } from 'vitest'
import { readFolder } from './folder.ts'
import { SOURCE_LIMITS } from './limits.ts'
import { Spool } from './spool.ts'
import { run } from './testing/programs.ts'
import { temporary } from './testing/temporary.ts'
import type { SourceEntry } from './tree-entries.ts'

// They start programs, and share the machine with builds.
vi.setConfig({ testTimeout: 120_000 })

let root: string
beforeEach(async () => {
  root = await temporary()
  await mkdir(path.join(root, 'a'))
  await writeFile(path.join(root, 'a/file'), 'content')
})

async function read(folder = root, o: { limits?: object; signal?: AbortSignal } = {}): Promise<readonly SourceEntry[]> {
  await using spool = await Spool.create(await temporary())
  const entries = await readFolder(folder, {
    spool,
    limits: { ...SOURCE_LIMITS, ...o.limits },
    signal: o.signal ?? new AbortController().signal,
  })
  return entries.within('.')
}

const pathsOf = (entries: readonly SourceEntry[]): string[] => entries.map((entry) => entry.path)

/** A signal that does something at the n-th look at it, which is in the midst of reading. */
function meanwhile(n: number, act: () => Promise<unknown>): { signal: AbortSignal; done: () => Promise<unknown> } {
  const signal = new AbortController().signal
  let looks = 0
  let acted: Promise<unknown> | undefined
  Object.defineProperty(signal, 'throwIfAborted', {
    value: () => {
      looks += 1
      if (looks === n) acted = act()
    },
  })
  return { signal, done: async () => acted }
}

it('leaves out .git wherever it is, and nothing else', async () => {
  for (const folder of ['.git', 'a/.git', '.github', 'node_modules', 'demo-out']) await mkdir(path.join(root, folder))
  await writeFile(path.join(root, '.git/config'), '')
  await writeFile(path.join(root, '.gitignore'), '*\n')
  await mkdir(path.join(root, 'sub'))
  await writeFile(path.join(root, 'sub/.git'), 'gitdir: ../.git/modules/sub\n')
  expect(pathsOf(await read())).toEqual(['.github', '.gitignore', 'a', 'a/file', 'demo-out', 'node_modules', 'sub'])
})

it('takes a bare repository for no recipe, and a folder with some of its names for one', async () => {
  const bare = path.join(root, 'recipe.git')
  run('git', ['init', '--quiet', '--bare', bare])
  await expect(read(bare)).rejects.toMatchObject({ code: 'source-bare-repository' })
  await rm(path.join(bare, 'HEAD'))
  expect(pathsOf(await read(bare))).toContain('config')
  expect(pathsOf(await read())).toContain('recipe.git/config')
})

it('takes links as they are written and follows none', async () => {
  await symlink('/etc', path.join(root, 'etc'))
  await symlink('../../../..', path.join(root, 'a/up'))
  await symlink('a', path.join(root, 'inside'))
  await symlink('loop', path.join(root, 'loop'))
  const links = (await read()).flatMap((entry) => (entry.type === 'l' ? [[entry.path, entry.link]] : []))
  expect(links).toEqual([
    ['a/up', '../../../..'],
    ['etc', '/etc'],
    ['inside', 'a'],
    ['loop', 'loop'],
  ])
})

it('follows the link that the user names as the source', async () => {
  const link = path.join(await temporary(), 'link')
  await symlink(root, link)
  expect(pathsOf(await read(link))).toEqual(['a', 'a/file'])
})

it("keeps the owner's execute bit alone", async () => {
  const modes = [0o644, 0o600, 0o755, 0o700, 0o611, 0o4755, 0o100]
  for (const mode of modes) {
    await writeFile(path.join(root, mode.toString(8)), '')
    await chmod(path.join(root, mode.toString(8)), mode)
  }
  const executable = (await read()).filter((entry) => entry.type === 'f' && entry.executable)
  expect(pathsOf(executable)).toEqual(['100', '4755', '700', '755'])
})

it('takes two names of one file as two files', async () => {
  await link(path.join(root, 'a/file'), path.join(root, 'second'))
  const [, first, second] = await read()
  expect(first).toMatchObject({ type: 'f', content: { size: 7 } })
  expect(second).toMatchObject({ type: 'f', content: { size: 7 } })
})

it('refuses pipes and sockets without opening them', async () => {
  run('mkfifo', [path.join(root, 'pipe')])
  await expect(read()).rejects.toMatchObject({ code: 'source-special-file', data: { path: 'pipe' } })
  await rm(path.join(root, 'pipe'))
  const server = createServer().listen(path.join(root, 'socket'))
  await once(server, 'listening')
  await expect(read()).rejects.toMatchObject({ code: 'source-special-file', data: { path: 'socket' } })
  server.close()
})

it('says so where there is no folder', async () => {
  await expect(read(path.join(root, 'größe\u202enone'))).rejects.toMatchObject({
    code: 'source-missing',
    message: expect.stringContaining('größe\\xe2\\x80\\xaenone"'),
  })
  await expect(read(path.join(root, 'a/file'))).rejects.toMatchObject({ code: 'source-missing' })
})

it('fails where a file is written to meanwhile, were it to the same length', async () => {
  await sleep(20)
  const writing = meanwhile(3, () => writeFile(path.join(root, 'a/file'), 'changed'))
  await expect(read(root, { signal: writing.signal })).rejects.toMatchObject({ code: 'source-changed' })
  await writing.done()
})

it('fails where something is added or exchanged meanwhile', async () => {
  for (const act of [
    () => writeFile(path.join(root, 'late'), ''),
    () => symlink('/etc', path.join(root, 'a/late')),
    async () => {
      await rename(path.join(root, 'a'), path.join(root, 'b'))
      await symlink('/etc', path.join(root, 'a'))
    },
  ]) {
    // A folder's times are those of the kernel's last tick: within the tick of our own last change another one leaves no trace.
    await sleep(20)
    const acting = meanwhile(2, act)
    await expect(read(root, { signal: acting.signal })).rejects.toMatchObject({ code: 'source-changed' })
    await acting.done()
    await rm(path.join(root, 'late'), { force: true })
    await rm(path.join(root, 'a/late'), { force: true })
  }
})

it('keeps to its limits', async () => {
  await expect(read(root, { limits: { maxEntries: 1 } })).rejects.toMatchObject({ code: 'source-entries-limit' })
  await expect(read(root, { limits: { maxDepth: 1 } })).rejects.toMatchObject({ code: 'source-depth-limit' })
  await expect(read(root, { limits: { maxFileSize: 6 } })).rejects.toMatchObject({ code: 'source-file-size-limit' })
  await expect(read(root, { limits: { maxTotalSize: 6 } })).rejects.toMatchObject({ code: 'source-size-limit' })
  await expect(read('/proc/self')).rejects.toMatchObject({ code: expect.stringMatching(/^source-/) })
})

it('stops when it is told to', async () => {
  const reason = new Error('stopped')
  await expect(read(root, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})
