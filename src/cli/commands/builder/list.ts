import { command, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'
import { BuilderList, builderLines } from './document.ts'

export const listBuilders = command<{ readonly json: boolean }, []>({
  brief: 'List the builder images that were made or imported here, the newest first',
  parameters: { flags: jsonFlag },
  async run(io, flags) {
    await using useCases = await io.open()
    const builders = [...(await useCases.listBuilders())]
    const value = { schema: 'bitwitness/builder-list/v1' as const, builders }
    await printAnswer(io, {
      json: flags.json,
      schema: BuilderList,
      value,
      lines: () => (builders.length === 0 ? ['none yet'] : builders.flatMap(builderLines)),
    })
    return EXIT.yes
  },
})
