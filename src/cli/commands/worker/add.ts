import { WorkerAdded } from '../../../app/service/operator-documents.ts'
import { parseWorkerPublicKey, type WorkerPublicKey } from '../../../app/service/worker-public-key.ts'
import { command, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { parseName } from '../../operator-arguments.ts'
import { printAnswer } from '../../output.ts'
import { workerLines } from '../../render/operator.ts'

export const addWorker = command<{ readonly json: boolean }, [string, WorkerPublicKey]>({
  brief: 'Let a machine take attempts of the service, by the public key of its worker',
  parameters: {
    flags: jsonFlag,
    positional: {
      kind: 'tuple',
      parameters: [
        { parse: parseName, brief: 'What lists and reports call it', placeholder: 'NAME' },
        { parse: parseWorkerPublicKey, brief: 'The line that worker key prints there', placeholder: 'PUBLIC-KEY' },
      ],
    },
  },
  async run(io, flags, name, publicKey) {
    await using operator = await io.operator()
    const worker = await operator.addWorker({ name, publicKey })
    await printAnswer(io, {
      json: flags.json,
      schema: WorkerAdded,
      value: { schema: 'bitwitness/worker-added/v1', worker },
      lines: () => workerLines(worker),
    })
    return EXIT.yes
  },
})
