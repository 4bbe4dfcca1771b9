import { BuilderImage } from '../../../../verifier/builder/image-description.ts'
import { command, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'
import { builderArgument } from './builder-argument.ts'
import { builderLines } from './document.ts'

type Flags = { readonly json: boolean; readonly output: string; readonly inputs: boolean }

export const exportBuilder = command<Flags, [string?]>({
  brief: 'Write a builder image to a file that another machine imports',
  parameters: {
    flags: {
      ...jsonFlag,
      output: { kind: 'parsed', parse: (text: string): string => text, brief: 'File to write', placeholder: 'FILE' },
      inputs: { kind: 'boolean', brief: 'Put the packages that it was made from beside it', default: false, withNegated: false },
    },
    aliases: { o: 'output' },
    positional: builderArgument,
  },
  async run(io, flags, reference) {
    await using useCases = await io.open()
    const builder = await useCases.exportBuilder({
      reference: reference ?? null,
      path: flags.output,
      inputs: flags.inputs,
      signal: io.signal,
    })
    await printAnswer(io, { json: flags.json, schema: BuilderImage, value: builder, lines: () => builderLines(builder) })
    return EXIT.yes
  },
})
