import { DEFAULT_SCOPES, type Scope } from '../../../app/service/caller.ts'
import { DEFAULT_TOKEN_DAYS, TokenCreated } from '../../../app/service/operator-documents.ts'
import { command, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { parseName, parseScope, parseTokenDays, SCOPE_WORDS } from '../../operator-arguments.ts'
import { printAnswer } from '../../output.ts'
import { tokenLines } from '../../render/operator.ts'

type Flags = { readonly json: boolean; readonly owner: string; readonly scope?: readonly Scope[]; readonly days: number }

export const createToken = command<Flags, [string]>({
  brief: 'Make an API token of the service; stdout gets the token alone, this once',
  parameters: {
    flags: {
      ...jsonFlag,
      owner: {
        kind: 'parsed',
        parse: parseName,
        brief: 'Whose submissions they are; made where there is none of this name',
        default: 'operator',
        placeholder: 'OWNER',
      },
      scope: {
        kind: 'parsed',
        parse: parseScope,
        variadic: true,
        optional: true,
        brief: `What it is good for: ${SCOPE_WORDS}; submit and cancel if not given`,
        placeholder: 'SCOPE',
      },
      days: { kind: 'parsed', parse: parseTokenDays, brief: 'How long it lasts', default: `${DEFAULT_TOKEN_DAYS}`, placeholder: 'N' },
    },
    positional: {
      kind: 'tuple',
      parameters: [{ parse: parseName, brief: 'What lists call it, such as where it is used', placeholder: 'NAME' }],
    },
  },
  async run(io, flags, name) {
    await using operator = await io.operator()
    const scopes = flags.scope === undefined ? [...DEFAULT_SCOPES] : [...new Set(flags.scope)]
    const { secret, token } = await operator.createToken({ name, owner: flags.owner, scopes, days: flags.days })
    const value = { schema: 'bitwitness/token-created/v1' as const, secret, token }
    await printAnswer(io, { json: flags.json, schema: TokenCreated, value, lines: () => [secret] })
    // Beside it, so that `$(…)` takes the token and nothing else.
    io.stderr.write(`${tokenLines(token).join('\n')}\n  it shows this once: keep it where nobody else reads it\n`)
    return EXIT.yes
  },
})
