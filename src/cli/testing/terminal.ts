import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { CliIo } from '../cli-context.ts'
import type { ExitCode } from '../exit-code.ts'
import { openScratch, openVerifying, readReading } from '../open-use-cases.ts'
import { runCli } from '../run.ts'
import type { UseCases } from '../use-cases.ts'

export type Ran = { readonly exit: ExitCode; readonly stdout: string; readonly stderr: string; readonly opened: number }

/** Runs a command line against use cases of the test's own, and keeps what it wrote. */
export async function ran(args: readonly string[], useCases: Partial<UseCases> = {}, change: Partial<CliIo> = {}): Promise<Ran> {
  const written = { stdout: '', stderr: '' }
  let opened = 0
  const absent = new Proxy({}, { get: (_, name) => () => Promise.reject(new Error(`the test has no ${String(name)}`)) }) as UseCases
  const io: CliIo = {
    stdout: { write: (chunk) => void (written.stdout += Buffer.from(chunk).toString()) },
    stderr: { write: (text) => void (written.stderr += text) },
    interactive: false,
    terminal: false,
    color: false,
    columns: 80,
    signal: new AbortController().signal,
    clock: () => 0,
    version: () => Promise.resolve('1.2.3'),
    debug: false,
    reading: () => readReading({}),
    scratch: openScratch,
    signing: () => Promise.reject(new Error('the test has no signing')),
    verifying: () => openVerifying({}),
    inspecting: () => Promise.reject(new Error('the test has nothing that runs')),
    registry: () => Promise.reject(new Error('the test has no registry')),
    client: () => Promise.reject(new Error('the test has no service')),
    deploying: () => Promise.reject(new Error('the test has no target')),
    service: () => Promise.reject(new Error('the test serves nothing')),
    operator: () => Promise.reject(new Error('the test has no operator')),
    workerKey: () => Promise.reject(new Error('the test has no key of a worker')),
    worker: () => Promise.reject(new Error('the test works for nobody')),
    open: () => {
      opened += 1
      const own: Record<PropertyKey, unknown> = { ...useCases, [Symbol.asyncDispose]: () => Promise.resolve() }
      return Promise.resolve(
        new Proxy(own, {
          get: (target, name) => target[name] ?? (name === 'then' ? undefined : absent[name as keyof UseCases]),
        }) as unknown as UseCases,
      )
    },
    ...change,
  }
  const exit = await runCli(args, io)
  return { exit, ...written, opened }
}

/** A golden document of verifier/model/testdata. */
export function golden(name: string): string {
  return readFileSync(path.join(import.meta.dirname, '../../../verifier/model/testdata', name), 'utf8')
}
