import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Environment } from './inputs.ts'
import { unheard } from './workflow-commands.ts'

export type Ran = { readonly exit: number; readonly stdout: string }

/** A report names every artifact and finding; this is far above the largest. */
const MOST = 128 << 20

/** What a child process has no business with: the inputs, the files of the runner, and what identifies the job. */
const WITHHELD = /^(?:INPUT_.*|ACTIONS_.*|GITHUB_(?:TOKEN|ENV|OUTPUT|PATH|STATE|STEP_SUMMARY))$/
const IDENTITY = ['ACTIONS_ID_TOKEN_REQUEST_URL', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'] as const

export class Program {
  readonly #launcher: string
  readonly #environment: Environment
  readonly #log: (text: string) => void

  constructor(launcher: string, environment: Environment, log: (text: string) => void) {
    this.#launcher = launcher
    this.#environment = environment
    this.#log = log
  }

  /**
   * Runs a command of bitwitness and gives what it printed on stdout; its progress goes to the log, where nothing of it is a command to the
   * runner. `identity`: whether it may show who the job is, by `token` or by the job's own identity.
   */
  async run(args: readonly string[], o: { readonly cwd: string; readonly identity?: { readonly token: string | null } }): Promise<Ran> {
    const { begin, end } = unheard()
    this.#log(`bitwitness ${args[0] ?? ''}\n${begin}`)
    try {
      const child = spawn(process.execPath, [this.#launcher, ...args], {
        cwd: o.cwd,
        env: this.#allowed(o.identity),
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const closed = once(child, 'close') as Promise<[number | null]>
      const [stdout] = await Promise.all([whole(child.stdout), this.#pass(child.stderr)])
      const [exit] = await closed
      return { exit: exit ?? 130, stdout }
    } finally {
      this.#log(end)
    }
  }

  /** The same of a command whose answer is a document. `null` where it printed none. */
  async document<T>(
    command: string,
    args: readonly string[],
    o: Parameters<Program['run']>[1],
  ): Promise<{ exit: number; value: T | null }> {
    // Behind `--` it would be an argument.
    const { exit, stdout } = await this.run([command, '--json', ...args], o)
    return { exit, value: stdout === '' ? null : (JSON.parse(stdout) as T) }
  }

  #allowed(identity: { readonly token: string | null } | undefined): NodeJS.ProcessEnv {
    const kept = Object.entries(this.#environment).filter(([name]) => !WITHHELD.test(name))
    if (identity === undefined) return Object.fromEntries(kept)
    if (identity.token !== null) return { ...Object.fromEntries(kept), BITWITNESS_TOKEN: identity.token }
    return { ...Object.fromEntries(kept), ...Object.fromEntries(IDENTITY.map((name) => [name, this.#environment[name]])) }
  }

  async #pass(text: AsyncIterable<Buffer>): Promise<void> {
    const decoder = new TextDecoder()
    let line = ''
    for await (const part of text) {
      line += decoder.decode(part, { stream: true })
      const last = line.lastIndexOf('\n')
      if (last === -1) continue
      this.#log(line.slice(0, last + 1))
      line = line.slice(last + 1)
    }
    if (line !== '') this.#log(`${line}\n`)
  }
}

async function whole(text: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of text) {
    size += part.length
    if (size > MOST) throw new Error('the program printed more than any document has')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
