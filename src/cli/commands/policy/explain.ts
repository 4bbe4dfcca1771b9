import { visible } from '../../../../verifier/model/visible.ts'
import { command, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'
import { policyArgument } from './file-argument.ts'

export const explainPolicyFile = command<{ readonly json: boolean }, [string]>({
  brief: 'Say in sentences what a policy allows',
  parameters: { flags: jsonFlag, positional: policyArgument },
  async run(io, flags, file) {
    const [{ loadPolicy }, { PolicyExplanation, policyExplanation }] = await Promise.all([
      import('../../../app/gate/load-policy.ts'),
      import('../../../app/gate/policy-explanation.ts'),
    ])
    const value = policyExplanation(await loadPolicy(file, io.signal))
    await printAnswer(io, { json: flags.json, schema: PolicyExplanation, value, lines: () => value.sentences.map(visible) })
    return EXIT.yes
  },
})
