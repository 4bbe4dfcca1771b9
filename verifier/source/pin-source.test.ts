import { createHash } from 'node:crypto'
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, it, vi } from 'vitest'
import { pinSource } from './pin-source.ts'
import type { PinnedTree } from './pinned-tree.ts'
import { parseSourceRef, type SourceAccess } from './source-ref.ts'
import { git, run } from './testing/programs.ts'
import { isEmpty, temporary } from './testing/temporary.ts'

// They start programs, and share the machine with builds.
vi.setConfig({ testTimeout: 120_000 })

const ACCESS: SourceAccess = { files: true, localRepositories: true, plainHttp: false, privateHosts: false }

async function pin(text: string, scratch: string): Promise<PinnedTree> {
  return pinSource(parseSourceRef(text, ACCESS), { scratch, access: ACCESS })
}

async function tarDigest(tree: PinnedTree): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of tree.tar()) hash.update(chunk)
  return hash.digest('hex')
}

/** A repository with names that sort differently by path and by component, that are not UTF-8, or that only normalisation would unite. */
async function repository(folder: string): Promise<string> {
  const work = path.join(folder, 'work')
  await mkdir(path.join(work, 'a/mkosi.extra/etc'), { recursive: true })
  await writeFile(path.join(work, 'a/mkosi.conf'), '[Output]\nFormat=tar\n')
  await writeFile(path.join(work, 'a/mkosi.build'), '#!/bin/sh\n')
  await chmod(path.join(work, 'a/mkosi.build'), 0o755)
  await writeFile(path.join(work, 'a-b'), '$Format:%H$\r\n')
  await writeFile(path.join(work, 'a.txt'), 'secret\n')
  await writeFile(Buffer.concat([Buffer.from(`${work}/caf`), Buffer.of(0xe9), Buffer.from(' \n\u202e')]), 'bytes\n')
  await writeFile(path.join(work, 'e\u0301'), 'decomposed\n')
  await writeFile(path.join(work, '\u00e9'), 'composed\n')
  await writeFile(path.join(work, `${'long-'.repeat(40)}`), 'long\n')
  await symlink('/usr/share/zoneinfo/UTC', path.join(work, 'a/mkosi.extra/etc/localtime'))
  await symlink('../../nowhere', path.join(work, 'link'))
  git(folder, 'init', '--quiet', '--initial-branch=main', 'work')
  git(work, 'add', '.')
  git(work, 'commit', '--quiet', '--message=one')
  return work
}

it('gives one digest to a clone, an archive, a wrapped archive, a copy and the repository of one commit', async () => {
  const folder = await temporary()
  const scratch = await temporary()
  const work = await repository(folder)
  git(work, 'archive', '--output=../plain.tar', 'HEAD')
  git(work, 'archive', '--prefix=work-1.0/', '--output=../forge.tar.gz', 'HEAD')
  run('tar', ['--create', '--file=../gnu.tar.zst', '--zstd', '--exclude=.git', '.'], { cwd: work })
  run('tar', ['--create', '--file=../dot-git.tar.xz', '--xz', '.'], { cwd: work })
  run('cp', ['--recursive', '--no-dereference', '--', work, path.join(folder, 'copy')])
  await rm(path.join(folder, 'copy/.git'), { recursive: true })
  const texts = ['plain.tar', 'forge.tar.gz', 'gnu.tar.zst', 'dot-git.tar.xz', 'work', 'copy'].map((name) => path.join(folder, name))
  const seen = new Set<string>()
  for (const text of [`file://${work}/.git`, ...texts]) {
    await using tree = await pin(text, scratch)
    seen.add(`${tree.pinned.treeDigest} ${await tarDigest(tree)}`)
  }
  expect([...seen]).toHaveLength(1)
  expect(await isEmpty(scratch)).toBe(true)
})
