import { existsSync } from 'node:fs'

const SETPRIV = '/usr/bin/setpriv'
const TIMEOUT = '/usr/bin/timeout'

/**
 * The command that runs a program so that it does not outlive us, be it that we are killed: the kernel then tells timeout(1), which tells
 * its whole process group, helpers that no longer know their parent included. Without that, git would go on taking what a hostile server
 * sends, with no one left to measure it. Where the system lacks either program (both are essential on Debian), the program alone.
 */
export function leashed(program: string, args: readonly string[], maxTime: number): readonly [program: string, ...args: string[]] {
  if (!existsSync(SETPRIV) || !existsSync(TIMEOUT)) return [program, ...args]
  const seconds = Math.ceil(maxTime / 1000) + 10
  return [SETPRIV, '--pdeathsig', 'TERM', '--', TIMEOUT, '--signal=KILL', `${seconds}s`, program, ...args]
}
