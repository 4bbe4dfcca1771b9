import {
  type Application,
  ArgumentParseError,
  buildApplication,
  buildRouteMap,
  type CommandContext,
  formatMessageForArgumentScannerError,
  generateHelpTextForAllCommands,
  text_en,
} from '@stricli/core'
import { Failure } from '../../verifier/model/failure.ts'
import type { CliContext } from './cli-context.ts'
import { attest } from './commands/attest.ts'
import { attach } from './commands/attestation/attach.ts'
import { verifyAttestation } from './commands/attestation/verify.ts'
import { build } from './commands/build.ts'
import { buildBuilder } from './commands/builder/build.ts'
import { exportBuilder } from './commands/builder/export.ts'
import { importBuilder } from './commands/builder/import.ts'
import { listBuilders } from './commands/builder/list.ts'
import { showBuilder } from './commands/builder/show.ts'
import { check } from './commands/check.ts'
import { doctor } from './commands/doctor.ts'
import { explain } from './commands/explain.ts'
import { showKey } from './commands/key/show.ts'
import { pull } from './commands/pull.ts'
import { push } from './commands/push.ts'
import { lint } from './commands/recipe/lint.ts'
import { sbom } from './commands/sbom.ts'
import { verify } from './commands/verify.ts'
import { version } from './commands/version.ts'

const builder = buildRouteMap<string, CliContext>({
  routes: { build: buildBuilder, list: listBuilders, show: showBuilder, export: exportBuilder, import: importBuilder },
  docs: { brief: 'Make, show and carry the image that recipes are built in' },
})

const recipe = buildRouteMap<string, CliContext>({ routes: { lint }, docs: { brief: 'Read recipes without running them' } })

const key = buildRouteMap<string, CliContext>({ routes: { show: showKey }, docs: { brief: 'The key that statements are signed with' } })

const attestation = buildRouteMap<string, CliContext>({
  routes: { verify: verifyAttestation, attach },
  docs: { brief: 'Signed statements about artifacts' },
})

const root = buildRouteMap<string, CliContext>({
  routes: { verify, check, build, push, pull, attest, attestation, key, sbom, builder, recipe, explain, doctor, version },
  docs: { brief: 'Rebuild mkosi images from source and say whether the bits match' },
})

/** The command line. `onUsage` hears what is wrong with it, in one line, before it shows on stderr. */
export function buildCli(onUsage: (message: string) => void = () => {}): Application<CliContext> {
  const usage = (message: string): string => {
    onUsage(message)
    return `bitwitness: ${message}`
  }
  return buildApplication(root, {
    name: 'bitwitness',
    scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
    documentation: { caseStyle: 'convert-camel-to-kebab', disableAnsiColor: true, onlyRequiredInUsageLine: true },
    localization: {
      text: {
        ...text_en,
        noCommandRegisteredForInput: (o) => usage(text_en.noCommandRegisteredForInput({ ...o, ansiColor: false })),
        exceptionWhileParsingArguments: (error) => usage(parseMessage(error)),
        // Commands catch what they throw: whatever arrives here is a defect, and its text may be a stranger's.
        exceptionWhileRunningCommand: () => 'bitwitness: something went wrong inside bitwitness (internal)',
        exceptionWhileLoadingCommandFunction: () => 'bitwitness: something went wrong inside bitwitness (internal)',
        exceptionWhileLoadingCommandContext: () => 'bitwitness: something went wrong inside bitwitness (internal)',
      },
    },
  })
}

function parseMessage(error: unknown): string {
  if (error instanceof ArgumentParseError && error.exception instanceof Failure)
    return `${error.externalFlagNameOrPlaceholder}: ${error.exception.message}; ${error.exception.hint}`
  return error instanceof Error
    ? formatMessageForArgumentScannerError(error as Parameters<typeof formatMessageForArgumentScannerError>[0], {})
    : 'the arguments cannot be read'
}

/** The help screen of every command, with its full name. */
export function allScreens(): readonly (readonly [command: string, text: string])[] {
  // The function only reads the texts: what the commands take as context does not matter to it.
  return generateHelpTextForAllCommands(buildCli() as unknown as Application<CommandContext>)
}
