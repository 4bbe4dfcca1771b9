import { BuilderImage } from '../../../../verifier/builder/image-description.ts'
import { command, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'
import { builderArgument } from './builder-argument.ts'
import { builderLines } from './document.ts'

export const showBuilder = command<{ readonly json: boolean }, [string?]>({
  brief: 'Show a builder image with its packages',
  parameters: { flags: jsonFlag, positional: builderArgument },
  async run(io, flags, reference) {
    await using useCases = await io.open()
    const builder = await useCases.showBuilder(reference ?? null)
    const packages = builder.packages.map((one) => `  ${one.name} ${one.version} ${one.architecture}`)
    await printAnswer(io, {
      json: flags.json,
      schema: BuilderImage,
      value: builder,
      lines: () => [...builderLines(builder), '', ...packages],
    })
    return EXIT.yes
  },
})
