import { WorkerRevoked } from '../../../app/service/operator-documents.ts'
import { command, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'
import { workerLines } from '../../render/operator.ts'

export const revokeWorker = command<{ readonly json: boolean }, [string]>({
  brief: 'Take no request of a worker any more; its name and key cannot be added again',
  parameters: {
    flags: jsonFlag,
    positional: {
      kind: 'tuple',
      parameters: [{ parse: (text: string): string => text, brief: 'Its name, as worker list shows it', placeholder: 'NAME' }],
    },
  },
  async run(io, flags, name) {
    await using operator = await io.operator()
    const worker = await operator.revokeWorker(name)
    await printAnswer(io, {
      json: flags.json,
      schema: WorkerRevoked,
      value: { schema: 'bitwitness/worker-revoked/v1', worker },
      lines: () => workerLines(worker),
    })
    return EXIT.yes
  },
})
