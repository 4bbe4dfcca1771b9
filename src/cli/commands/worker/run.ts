import { Failure } from '../../../../verifier/model/failure.ts'
import { WorkingDocument } from '../../../app/service/working-document.ts'
import { COORDINATOR_FORM, parseCoordinator } from '../../../config/worker-settings.ts'
import { command, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'
import { workingLines } from '../../render/working.ts'

type WorkerFlags = { readonly json: boolean; readonly coordinator?: URL }

export const runWorker = command<WorkerFlags, []>({
  brief: 'Build for a service, on this machine; what a worker does where nothing else is said',
  fullDescription: [
    'Takes attempts from a service and builds them here, until it is ended. It shows who it is by a key of its own:',
    '`worker key` prints the public half, which the operator of the service registers by `worker add`. Ended by SIGTERM',
    'it begins nothing more, and brings what runs to its end for as long as BITWITNESS_GRACE says.',
  ].join('\n'),
  parameters: {
    flags: {
      coordinator: {
        kind: 'parsed',
        parse: parseUrl,
        brief: 'The service to build for, in place of BITWITNESS_COORDINATOR',
        optional: true,
        placeholder: 'URL',
      },
      ...jsonFlag,
    },
  },
  async run(io, flags) {
    await using worker = await io.worker({ coordinator: flags.coordinator ?? null })
    const { facts } = worker
    await printAnswer(io, { json: flags.json, schema: WorkingDocument, value: facts, lines: () => workingLines(facts, io) })
    await worker.work(io.signal)
    return EXIT.yes
  },
})

function parseUrl(text: string): URL {
  const url = parseCoordinator(text)
  if (url !== undefined) return url
  throw new Failure({ code: 'coordinator-malformed', message: 'not the address of a coordinator', hint: `give ${COORDINATOR_FORM}` })
}
