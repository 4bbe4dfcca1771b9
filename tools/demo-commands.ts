import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { VerificationReport } from '../verifier/model/report.ts'
import { DemoFailed } from './demo-files.ts'
import type { DemoProcesses, Environment } from './demo-processes.ts'

/** What the demonstration runs, as a user would, and what it says of it. */
export class DemoCommands {
  readonly #processes: DemoProcesses

  constructor(processes: DemoProcesses) {
    this.#processes = processes
  }

  /** Runs a command with its output on this terminal. */
  async run(args: readonly string[], expected: number, environment: Environment = {}): Promise<void> {
    say(`$ ${asTyped(args)}\n`)
    checkCode(await this.#processes.ended(this.#processes.start(args, { stdio: 'inherit', environment })), expected)
  }

  /** Submits for people and for machines: what comes of it is printed, and its report kept as JSON in a file. */
  async submit(
    file: string,
    args: readonly string[],
    o: { readonly expected: number; readonly submitter: Environment },
  ): Promise<VerificationReport> {
    await this.run(['submit', ...args, '--report', file], o.expected, o.submitter)
    return JSON.parse(await readFile(file, 'utf8')) as VerificationReport
  }

  /** The same, and prints nothing of it until it is shown. */
  submitMeanwhile(
    file: string,
    args: readonly string[],
    submitter: Environment,
  ): { readonly show: (expected: number) => Promise<VerificationReport> } {
    const words = ['submit', ...args, '--report', file]
    const ended = this.#held(words, submitter)
    // Where the demonstration fails before it is shown, nobody waits for it.
    ended.catch(() => {})
    return {
      async show(expected) {
        say(`$ ${asTyped(words)}\n`)
        const { code, printed } = await ended
        process.stdout.write(printed)
        checkCode(code, expected)
        return JSON.parse(await readFile(file, 'utf8')) as VerificationReport
      },
    }
  }

  /** What a short command writes on stdout. */
  async output(args: readonly string[], environment: Environment): Promise<string> {
    const { code, stdout } = await this.#held(args, environment)
    checkCode(code, 0)
    return stdout
  }

  async #held(
    args: readonly string[],
    environment: Environment,
  ): Promise<{ readonly code: number | null; readonly printed: Buffer; readonly stdout: string }> {
    const child = this.#processes.start(args, { stdio: ['ignore', 'pipe', 'pipe'], environment })
    const [printed, stdout]: [Buffer[], Buffer[]] = [[], []]
    child.stdout?.on('data', (part: Buffer) => void (printed.push(part), stdout.push(part)))
    child.stderr?.on('data', (part: Buffer) => printed.push(part))
    const code = await this.#processes.ended(child)
    return { code, printed: Buffer.concat(printed), stdout: Buffer.concat(stdout).toString('utf8') }
  }
}

function checkCode(code: number | null, expected: number): void {
  if (code !== expected) throw new DemoFailed(`bitwitness ended with exit code ${code}, not ${expected}`)
}

function asTyped(args: readonly string[]): string {
  return ['bitwitness', ...args.map(shown)].join(' ')
}

/** An argument as one would type it. */
export function shown(argument: string): string {
  return path.isAbsolute(argument) ? path.relative(process.cwd(), argument) || '.' : argument
}

export function title(text: string): void {
  console.log(`\n== ${text}\n`)
}

export function say(text: string): void {
  console.log(text)
}
