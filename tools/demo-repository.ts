import { cp } from 'node:fs/promises'
import { execa } from 'execa'

/** Makes a repository of a folder's files, with one commit on `main`; gives the commit. Nothing of whoever runs it is in it. */
export async function makeRepository(files: string, repository: string): Promise<string> {
  await cp(files, repository, { recursive: true })
  const git = (...args: readonly string[]) => execa('git', ['-C', repository, ...args], { env: { GIT_CONFIG_GLOBAL: '/dev/null' } })
  await git('init', '--quiet', '--initial-branch=main')
  await git('add', '--all')
  await git('-c', 'user.name=publisher', '-c', 'user.email=publisher@example.org', 'commit', '--quiet', '--message=app')
  return (await git('rev-parse', 'HEAD')).stdout
}
