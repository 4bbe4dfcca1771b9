import { TokenRevoked } from '../../../app/service/operator-documents.ts'
import { command, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'
import { tokenLines } from '../../render/operator.ts'

export const revokeToken = command<{ readonly json: boolean }, [string]>({
  brief: 'End an API token now; what was submitted with it goes on',
  parameters: {
    flags: jsonFlag,
    positional: {
      kind: 'tuple',
      parameters: [{ parse: (text: string): string => text, brief: 'Its id, as token list shows it', placeholder: 'TOKEN-ID' }],
    },
  },
  async run(io, flags, id) {
    await using operator = await io.operator()
    const token = await operator.revokeToken(id)
    await printAnswer(io, {
      json: flags.json,
      schema: TokenRevoked,
      value: { schema: 'bitwitness/token-revoked/v1', token },
      lines: () => tokenLines(token),
    })
    return EXIT.yes
  },
})
