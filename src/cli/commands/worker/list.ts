import { WorkerList } from '../../../app/service/operator-documents.ts'
import { command, jsonFlag } from '../../command.ts'
import { everyPage } from '../../every-page.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'
import { workerLines } from '../../render/operator.ts'

export const listWorkers = command<{ readonly json: boolean }, []>({
  brief: 'List the workers of the service, the newest first',
  parameters: { flags: jsonFlag },
  async run(io, flags) {
    await using operator = await io.operator()
    const workers = await everyPage((cursor) => operator.workers(cursor))
    await printAnswer(io, {
      json: flags.json,
      schema: WorkerList,
      value: { schema: 'bitwitness/worker-list/v1', workers },
      lines: () => (workers.length === 0 ? ['none yet'] : workers.flatMap(workerLines)),
    })
    return EXIT.yes
  },
})
