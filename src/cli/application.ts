import {
  type Application,
  ArgumentParseError,
  buildApplication,
  formatMessageForArgumentScannerError,
  type RouteMap,
  text_en,
} from '@stricli/core'
import { Failure } from '../../verifier/model/failure.ts'
import type { CliContext } from './cli-context.ts'

/** A command line of some commands. `onUsage` hears what is wrong with it, in one line, before it shows on stderr. */
export function applicationOf(root: RouteMap<CliContext>, onUsage: (message: string) => void): Application<CliContext> {
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
