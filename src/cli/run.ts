import { run, ExitCode as StricliExit } from '@stricli/core'
import { encodeDocument } from '../../verifier/model/document.ts'
import { visible } from '../../verifier/model/visible.ts'
import { applicationOf } from './application.ts'
import type { CliIo } from './cli-context.ts'
import { ERROR_SCHEMA, ErrorDocument } from './error-document.ts'
import { EXIT, type ExitCode } from './exit-code.ts'

/** What is typed out of habit, in our words. */
function habitual([first, ...rest]: readonly string[]): readonly string[] {
  if (first === 'help') return [...rest, '--help']
  return first === '--version' || first === '-V' ? ['version', ...rest] : [...(first === undefined ? [] : [first]), ...rest]
}

/** Runs one command line and says how the program is to end. Writes nowhere but to `io`, throws nothing. */
export async function runCli(typed: readonly string[], io: CliIo): Promise<ExitCode> {
  const args = habitual(typed)
  let usage: string | undefined
  let ended: ExitCode | undefined
  const { root } = await (isVerifyAttestation(args) ? import('./attestation-app.ts') : import('./app.ts'))
  const app = applicationOf(root, (message) => {
    usage = message
  })
  const out = { stdout: io.stdout, stderr: { write: (text: string): void => io.stderr.write(lineByLine(text)) } }
  const process: { stdout: typeof out.stdout; stderr: typeof out.stderr; exitCode?: number | string | null } = out
  await run(app, args, {
    process,
    io: { ...io, stderr: io.stderr },
    end: (code: ExitCode) => {
      ended = code
    },
  })
  if (ended !== undefined) return ended
  if (process.exitCode === StricliExit.Success) return EXIT.yes
  const message = usage ?? 'something went wrong inside bitwitness'
  const hint =
    usage === undefined
      ? 'this is a defect: report it with what you ran'
      : 'bitwitness --help lists the commands, and --help after a command its flags'
  if (wantsJson(args))
    io.stdout.write(
      encodeDocument(ErrorDocument, {
        schema: ERROR_SCHEMA,
        verdict: null,
        code: usage === undefined ? 'internal' : 'usage',
        message: visible(message),
        hint,
      }),
    )
  if (usage === undefined) return EXIT.unknown
  io.stderr.write(`  ${hint}\n`)
  return EXIT.usage
}

function isVerifyAttestation([group, command]: readonly string[]): boolean {
  return group === 'attestation' && command === 'verify'
}

/** What was typed is repeated in messages: it may hold what moves a terminal. */
function lineByLine(text: string): string {
  return text.split('\n').map(visible).join('\n')
}

function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return (end === -1 ? args : args.slice(0, end)).includes('--json')
}
