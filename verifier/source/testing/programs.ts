import { execFileSync } from 'node:child_process'

const ENV = {
  PATH: process.env['PATH'] ?? '',
  LC_ALL: 'C.UTF-8',
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@example.org',
  GIT_AUTHOR_DATE: '1700000000 +0000',
  GIT_COMMITTER_DATE: '1700000000 +0000',
}

/** Runs a program as a publisher would, with nothing of this machine's settings; gives what it printed. */
export function run(program: string, args: readonly string[], o: { cwd?: string; input?: Uint8Array | string } = {}): string {
  const { cwd, input } = o
  return execFileSync(program, args, {
    env: ENV,
    encoding: 'latin1',
    stdio: ['pipe', 'pipe', 'ignore'],
    maxBuffer: 1024 ** 3,
    ...(cwd === undefined ? {} : { cwd }),
    ...(input === undefined ? {} : { input }),
  })
}

export function git(cwd: string, ...args: string[]): string {
  return run('git', args, { cwd }).trim()
}
