import { readFileSync, readlinkSync } from 'node:fs'

/**
 * `<pid>.<start time>.<boot>.<pid namespace>` of this process: no other process ever has the same, on this boot or another. Where the
 * system has no /proc, the pid alone, which errs towards taking a stranger for the owner: nothing is swept that could be in use.
 */
export function processIdentity(): string {
  return identityOf(process.pid) ?? String(process.pid)
}

/**
 * Whether the process with this identity still runs here. One in another container that shares our home has pids that say nothing to us:
 * it is taken for alive until the machine is started anew.
 */
export function isAlive(identity: string): boolean {
  const [pid, , boot, namespace] = identity.split('.')
  if (pid === undefined || !/^[1-9]\d{0,9}$/.test(pid)) return false
  const own = processIdentity().split('.')
  if (/^\d+$/.test(namespace ?? '') && own[3] !== undefined && boot === own[2] && namespace !== own[3]) return true
  const now = identityOf(Number(pid))
  // Without its last part it was written by an earlier version.
  if (now !== undefined) return now === identity || (namespace === undefined && now.startsWith(`${identity}.`))
  if (hasProc()) return false
  try {
    process.kill(Number(pid), 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function identityOf(pid: number): string | undefined {
  try {
    // The command's name may hold anything; the fields behind its closing parenthesis do not. Start time is field 22 (proc(5)).
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim().replaceAll('-', '').slice(0, 12)
    // A zombie is over, though its entry is still there.
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0]
    return `${pid}.${fields[19]}.${boot}.${namespace}`
  } catch {
    return undefined
  }
}

function hasProc(): boolean {
  try {
    readFileSync('/proc/self/stat', 'latin1')
    return true
  } catch {
    return false
  }
}
