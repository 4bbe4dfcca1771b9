import { z } from 'zod'
import { WorkerPublicKey } from '../../../app/service/worker-public-key.ts'
import { command, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'

/** The public half of the key that this machine's worker signs its requests with. */
export const WorkerKeyDocument = z.strictObject({
  schema: z.literal('bitwitness/worker-key/v1'),
  /** Ed25519, SubjectPublicKeyInfo (RFC 8410) in base64. */
  publicKey: WorkerPublicKey,
})

export const showWorkerKey = command<{ readonly json: boolean }, []>({
  brief: "Show the public half of this machine's worker key, for worker add; it is made where there is none yet",
  parameters: { flags: jsonFlag },
  async run(io, flags) {
    const publicKey = await io.workerKey()
    await printAnswer(io, {
      json: flags.json,
      schema: WorkerKeyDocument,
      value: { schema: 'bitwitness/worker-key/v1', publicKey },
      lines: () => [publicKey],
    })
    return EXIT.yes
  },
})
