import { command, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'
import { fileArgument } from './file-argument.ts'

export const hashComposeFile = command<{ readonly json: boolean }, [string]>({
  brief: 'Print the compose hash of an app-compose: of its bytes as they are, as dstack measures them',
  parameters: { flags: jsonFlag, positional: fileArgument },
  async run(io, flags, file) {
    const { composeHash, ComposeHash } = await import('../../../app/compose/compose-hash.ts')
    const { readComposeFile } = await import('../../../app/compose/read-compose-file.ts')
    const value = composeHash(await readComposeFile(file, io.signal))
    await printAnswer(io, {
      json: flags.json,
      schema: ComposeHash,
      value,
      lines: () => [value.composeHash, `  app id, where none was chosen: ${value.appId}`],
    })
    return EXIT.yes
  },
})
