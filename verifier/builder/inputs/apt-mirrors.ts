import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Mirrors } from './input-proxy.ts'
import { APT_TARGETS_FORMAT, parseAptTargets, parseAptUris } from './mirrors.ts'

const run = promisify(execFile)

/** The mirrors that this host's own apt uses; none where there is no apt, or it uses none of Debian's archives. */
export async function readAptMirrors(signal?: AbortSignal): Promise<Mirrors> {
  const known = parseAptTargets(await aptGet(['indextargets', '--format', APT_TARGETS_FORMAT], signal))
  return known.size > 0 ? known : parseAptUris(await aptGet(['--print-uris', 'update'], signal))
}

async function aptGet(args: readonly string[], signal?: AbortSignal): Promise<string> {
  try {
    const options = { timeout: 20_000, maxBuffer: 16 << 20, env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' } }
    return (await run('apt-get', args, { ...options, ...(signal === undefined ? {} : { signal }) })).stdout
  } catch {
    signal?.throwIfAborted()
    return ''
  }
}
