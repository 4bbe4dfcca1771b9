import { execFileSync } from 'node:child_process'
import path from 'node:path'

export const root = path.join(import.meta.dirname, '..')

/** Files of the repository, those not yet committed among them. */
export function repositoryFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  return listed.split('\0').filter((name) => name !== '')
}
