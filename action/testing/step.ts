import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'

export { digestOf } from '../../verifier/bytes/digest-of.ts'

export type StepRun = {
  readonly exit: number | undefined
  readonly log: string
  readonly summary: string
  /** As the runner reads GITHUB_OUTPUT: a name, a mark, lines up to that mark. */
  readonly outputs: Readonly<Record<string, string>>
  /** Each call of the program. */
  readonly calls: readonly { readonly args: readonly string[]; readonly cwd: string; readonly environment: readonly string[] }[]
}

const COMMIT = 'c'.repeat(40)

/** A step of a job, with the files and the environment that GitHub's runner gives one. */
export class Step implements AsyncDisposable {
  readonly folder: string
  #runs = 0

  private constructor(folder: string) {
    this.folder = folder
  }

  static async open(): Promise<Step> {
    const folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-action-'))
    await mkdir(path.join(folder, 'workspace', 'image'), { recursive: true })
    await mkdir(path.join(folder, 'temporary'))
    return new Step(folder)
  }

  at(...names: string[]): string {
    return path.join(this.folder, ...names)
  }

  async run(inputs: Readonly<Record<string, string>>, environment: Readonly<Record<string, string>> = {}): Promise<StepRun> {
    const name = (file: string): string => this.at(`${file}-${this.#runs}`)
    for (const file of ['output', 'summary', 'calls']) await writeFile(name(file), '')
    const given = Object.fromEntries(
      Object.entries(inputs).map(([key, value]) => [`INPUT_${key.toUpperCase().replaceAll('-', '_')}`, value]),
    )
    const ran = await execa(process.execPath, [path.join(import.meta.dirname, '..', 'main.ts')], {
      cwd: this.at('workspace'),
      extendEnv: false,
      reject: false,
      all: true,
      stripFinalNewline: false,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: this.at('temporary'),
        CI: 'true',
        // Of this project's own code: each call of the program loads all of it anew.
        NODE_COMPILE_CACHE: path.join(tmpdir(), 'node-compile-cache'),
        GITHUB_ACTIONS: 'true',
        GITHUB_SERVER_URL: 'https://git.example',
        GITHUB_REPOSITORY: 'owner/app',
        GITHUB_SHA: COMMIT,
        GITHUB_WORKSPACE: this.at('workspace'),
        GITHUB_OUTPUT: name('output'),
        GITHUB_STEP_SUMMARY: name('summary'),
        GITHUB_ENV: name('environment'),
        GITHUB_TOKEN: 'a-token-of-the-job',
        RUNNER_TEMP: this.at('temporary'),
        FAKE_RECORD: name('calls'),
        INPUT_PROGRAM: path.join(import.meta.dirname, 'program.ts'),
        INPUT_RECIPE: 'image',
        ...given,
        ...environment,
      },
    })
    const calls = (await readFile(name('calls'), 'utf8')).split('\n').filter((line) => line !== '')
    const run: StepRun = {
      exit: ran.exitCode,
      log: ran.all,
      summary: await readFile(name('summary'), 'utf8'),
      outputs: parseOutputs(await readFile(name('output'), 'utf8')),
      calls: calls.map((line) => JSON.parse(line) as StepRun['calls'][number]),
    }
    this.#runs += 1
    return run
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** Reads a file of outputs as the runner does. */
export function parseOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {}
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at += 1) {
    const [, name, mark] = /^([^=<]+)<<(.+)$/.exec(lines[at] ?? '') ?? []
    if (name === undefined || mark === undefined) {
      const [, plain, value] = /^([^=]+)=(.*)$/.exec(lines[at] ?? '') ?? []
      if (plain !== undefined) outputs[plain] = value ?? ''
      continue
    }
    const end = lines.indexOf(mark, at + 1)
    outputs[name] = lines.slice(at + 1, end).join('\n')
    at = end
  }
  return outputs
}
