import { type BaseArgs, type BaseFlags, buildCommand, type Command, type TypedCommandParameters } from '@stricli/core'
import type { CliContext, CliIo } from './cli-context.ts'
import { type ExitCode, exitOfFailure } from './exit-code.ts'
import { withPlaceholders } from './help-placeholders.ts'
import { printError } from './output.ts'

type Definition<F extends BaseFlags & { readonly json: boolean }, A extends BaseArgs> = {
  readonly brief: string
  readonly fullDescription?: string
  readonly parameters: TypedCommandParameters<F, A, CliContext>
  /** Does what the command is for and says how it ended. What it throws is printed here, in one way for all commands. */
  readonly run: (io: CliIo, flags: F, ...args: A) => Promise<ExitCode>
}

export function command<F extends BaseFlags & { readonly json: boolean }, A extends BaseArgs>(
  definition: Definition<F, A>,
): Command<CliContext> {
  const { brief, fullDescription, parameters, run } = definition
  const built = buildCommand<F, A, CliContext>({
    docs: { brief, ...(fullDescription === undefined ? {} : { fullDescription }) },
    parameters,
    async func(flags, ...args) {
      try {
        this.end(await run(this.io, flags, ...args))
      } catch (error) {
        printError(this.io, error, flags.json)
        this.end(exitOfFailure(error))
      }
    },
  })
  return { ...built, formatHelp: (o) => withPlaceholders(built.formatHelp(o), parameters.flags ?? {}) }
}

export const jsonFlag = {
  json: { kind: 'boolean', brief: 'Print one JSON document on stdout', default: false, withNegated: false },
} as const

export const fileFlag = (brief: string) =>
  ({ kind: 'parsed', parse: (value: string): string => value, brief, optional: true, placeholder: 'FILE' }) as const
