import { BuilderImage } from '../../../../verifier/builder/image-description.ts'
import { command, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'
import { builderLines } from './document.ts'

export const importBuilder = command<{ readonly json: boolean }, [string]>({
  brief: 'Take a builder image from a file that another machine exported',
  parameters: {
    flags: jsonFlag,
    positional: { kind: 'tuple', parameters: [{ parse: (text: string): string => text, brief: 'The file', placeholder: 'FILE' }] },
  },
  async run(io, flags, file) {
    await using useCases = await io.open()
    const builder = await useCases.importBuilder(file, io.signal)
    await printAnswer(io, { json: flags.json, schema: BuilderImage, value: builder, lines: () => builderLines(builder) })
    return EXIT.yes
  },
})
