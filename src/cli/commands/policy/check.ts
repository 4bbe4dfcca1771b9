import { visible } from '../../../../verifier/model/visible.ts'
import { command, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'
import { paint } from '../../render/paint.ts'
import { policyArgument } from './file-argument.ts'

export const checkPolicy = command<{ readonly json: boolean }, [string]>({
  brief: 'Say whether a policy can be followed, and what is the matter with it',
  parameters: { flags: jsonFlag, positional: policyArgument },
  async run(io, flags, file) {
    const { policyCheck, PolicyCheck, readPolicyFile } = await import('../../../app/gate/load-policy.ts')
    const value = policyCheck(await readPolicyFile(file, io.signal))
    const brushes = paint(io.color)
    await printAnswer(io, {
      json: flags.json,
      schema: PolicyCheck,
      value,
      lines: () => [
        value.verdict === 'valid' ? brushes.good('valid') : brushes.bad('invalid'),
        `  sha256 ${value.sha256}`,
        ...value.problems.map(({ line, message }) => `  ${line === null ? '' : `line ${line}: `}${visible(message)}`),
        ...(value.verdict === 'valid' ? [] : ['docs/policy.md says what stands in a policy']),
      ],
    })
    return value.verdict === 'valid' ? EXIT.yes : EXIT.no
  },
})
