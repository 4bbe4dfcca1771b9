import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { sourceFailure } from '../failures.ts'
import { leashed } from './leash.ts'

/** git ended with another code than 0. `said` is what it wrote to stderr: a third party's text, to be matched and never shown. */
export class GitFailed extends Error {
  readonly said: string

  constructor(said: string) {
    super('git failed')
    this.name = 'GitFailed'
    this.said = said
  }
}

export type GitOptions = {
  readonly program: string
  /** A private folder of ours; git's home, and where it looks for nothing. */
  readonly home: string
  /** Whether anything may be reached at all, and how. */
  readonly protocols: readonly ('https' | 'http' | 'file')[]
  readonly config: readonly (readonly [key: string, value: string])[]
  readonly signal: AbortSignal
  /** Milliseconds; bounds what outlives us. */
  readonly maxTime: number
}

const PATH = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin'
const MAX_SAID = 64 * 1024

/**
 * Settings that hold for every run. No hook, filter, attribute, alias, credential or configuration of the machine takes part; nothing
 * asks, nothing is fetched but what was asked for, and what arrives is checked as git would check a push.
 */
const CONFIG: readonly (readonly [string, string])[] = [
  ['protocol.allow', 'never'],
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.attributesFile', '/dev/null'],
  ['core.excludesFile', '/dev/null'],
  ['credential.helper', ''],
  ['fetch.recurseSubmodules', 'false'],
  ['fetch.writeCommitGraph', 'false'],
  ['fetch.unpackLimit', '1'],
  ['transfer.unpackLimit', '1'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  // A redirect, or a list of alternates of the dumb protocol, would lead to a host that was not looked at, and to another identity.
  ['http.followRedirects', 'false'],
  ['http.sslVerify', 'true'],
  ['http.lowSpeedLimit', '1000'],
  ['http.lowSpeedTime', '60'],
  ['http.userAgent', 'git/bitwitness'],
  // Bounds on memory: files above go through in pieces, and two cores of a shared machine are not ours alone.
  ['core.bigFileThreshold', '16m'],
  ['core.packedGitLimit', '256m'],
  ['pack.threads', '1'],
]

/** One hardened way to run git: no shell, an environment of our own, and a process group that is gone when the call is over. */
export class Git {
  readonly #options: GitOptions

  constructor(options: GitOptions) {
    this.#options = options
  }

  /** What git prints, at most `maxBytes`. */
  async output(args: readonly string[], maxBytes = 1024 * 1024): Promise<string> {
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of this.stream(args)) {
      size += chunk.length
      if (size > maxBytes) throw sourceFailure('source-size-limit', { limit: maxBytes })
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString('latin1')
  }

  /**
   * What git prints, as it comes. Throws `GitFailed` at the end unless it exits with 0, the signal's reason when that fires. A caller
   * that stops reading ends git and everything that git started.
   */
  async *stream(
    args: readonly string[],
    o: { readonly input?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<Uint8Array, void, void> {
    const { program } = this.#options
    const { input } = o
    const signal = o.signal === undefined ? this.#options.signal : AbortSignal.any([this.#options.signal, o.signal])
    signal.throwIfAborted()
    const [command, ...commandArguments] = leashed(program, [...this.#configArguments(), ...args], this.#options.maxTime)
    const child = spawn(command, commandArguments, {
      cwd: this.#options.home,
      env: this.#environment(),
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      // A group of its own: git's helpers (git-remote-https, index-pack) must not outlive it.
      detached: true,
    })
    const kill = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // The group is already gone.
      }
    }
    // `close` comes once every holder of the pipes is gone, helpers included.
    const closed = once(child, 'close').then(
      ([status]) => status as number | null,
      (cause: unknown) => {
        throw sourceFailure('git-missing', {}, cause)
      },
    )
    closed.catch(() => {})
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      if (said.length < MAX_SAID) said += chunk.toString('latin1')
    })
    const stdin = child.stdin
    if (stdin !== null && input !== undefined) {
      stdin.on('error', () => {})
      Readable.from(input, { objectMode: false })
        .on('error', () => stdin.destroy())
        .pipe(stdin)
    }
    signal.addEventListener('abort', kill)
    try {
      for await (const chunk of child.stdout ?? []) {
        signal.throwIfAborted()
        yield chunk as Uint8Array
      }
      const status = await closed
      signal.throwIfAborted()
      if (status !== 0) throw new GitFailed(said)
    } finally {
      kill()
      await closed.catch(() => {})
      signal.removeEventListener('abort', kill)
    }
  }

  #configArguments(): string[] {
    const allowed = this.#options.protocols.map((protocol) => [`protocol.${protocol}.allow`, 'always'] as const)
    return [...CONFIG, ...allowed, ...this.#options.config].flatMap(([key, value]) => ['-c', `${key}=${value}`])
  }

  #environment(): Record<string, string> {
    return {
      PATH,
      HOME: this.#options.home,
      XDG_CONFIG_HOME: this.#options.home,
      LC_ALL: 'C',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_ATTR_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: '/bin/false',
      SSH_ASKPASS: '/bin/false',
      // refs/replace could show another object under the name of a commit; a lazy fetch would reach out while reading.
      GIT_NO_REPLACE_OBJECTS: '1',
      GIT_NO_LAZY_FETCH: '1',
      // Wins over every protocol.* setting, the defaults for `ext` and `ssh` included.
      GIT_ALLOW_PROTOCOL: this.#options.protocols.join(':') || 'none',
      // No single allocation above: a delta that unfolds to gigabytes in memory ends git, not this machine.
      GIT_ALLOC_LIMIT: '1g',
    }
  }
}
