import { Failure } from '../../../../verifier/model/failure.ts'
import { command, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'
import { parseServer } from '../../server-argument.ts'
import { policyArgument } from '../policy/file-argument.ts'

type Flags = { readonly json: boolean; readonly server?: URL; readonly replaces?: string; readonly days: number }

export const gateImpact = command<Flags, [string]>({
  brief: 'Say what a new policy would do to the apps of a service that run now',
  fullDescription: [
    'Say what a new policy would do to the apps of a service that run now.',
    'The service decides by it about every app that a KMS or a gateway asked it about, and keeps nothing of it.',
    'Ends with 0 where nothing that is allowed now would be denied, with 1 otherwise, and with 3 where there are',
    'more apps than it looks at. The token needs the scope admit.',
  ].join('\n'),
  parameters: {
    flags: {
      server: {
        kind: 'parsed',
        parse: parseServer,
        brief: 'The service, instead of the one of the settings',
        optional: true,
        placeholder: 'URL',
      },
      replaces: {
        kind: 'parsed',
        parse: (text: string): string => text,
        optional: true,
        brief: 'The policy of the service that it would replace; else the one of its own name',
        placeholder: 'NAME',
      },
      days: {
        kind: 'parsed',
        parse: parseDays,
        default: '90',
        brief: 'Look at apps that were asked about within so many days',
        placeholder: 'N',
      },
      ...jsonFlag,
    },
    positional: policyArgument,
  },
  async run(io, { json, server, replaces, days }, file) {
    const [{ PolicyImpact }, { loadPolicyBytes }, { impactLines }] = await Promise.all([
      import('../../../app/gate/policy-impact.ts'),
      import('../../../app/gate/load-policy.ts'),
      import('../../render/policy-impact.ts'),
    ])
    const draft = await loadPolicyBytes(file, io.signal)
    const client = await io.client({ server: server ?? null })
    const impact = await client.policyImpact(draft, { replaces: replaces ?? null, days }, io.signal)
    await printAnswer(io, { json, schema: PolicyImpact, value: impact, lines: () => impactLines(impact, io) })
    if (impact.verdict === 'denies') return EXIT.no
    return impact.verdict === 'harmless' ? EXIT.yes : EXIT.unknown
  },
})

function parseDays(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text)
  throw new Failure({ code: 'days-malformed', message: 'not a number of days', hint: 'give a number from 1 to 9999' })
}
