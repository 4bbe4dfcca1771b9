import { TokenList } from '../../../app/service/operator-documents.ts'
import { command, jsonFlag } from '../../command.ts'
import { everyPage } from '../../every-page.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'
import { tokenLines } from '../../render/operator.ts'

export const listTokens = command<{ readonly json: boolean }, []>({
  brief: 'List the API tokens of the service, the newest first, without their secrets',
  parameters: { flags: jsonFlag },
  async run(io, flags) {
    await using operator = await io.operator()
    const tokens = await everyPage((cursor) => operator.tokens(cursor))
    await printAnswer(io, {
      json: flags.json,
      schema: TokenList,
      value: { schema: 'bitwitness/token-list/v1', tokens },
      lines: () => (tokens.length === 0 ? ['none yet'] : tokens.flatMap(tokenLines)),
    })
    return EXIT.yes
  },
})
