import { ServingDocument } from '../../app/service/serving-document.ts'
import { command, jsonFlag } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { printAnswer } from '../output.ts'
import { servingLines } from '../render/serving.ts'

type ServeFlags = { readonly json: boolean; readonly noWorker: boolean }

export const serve = command<ServeFlags, []>({
  brief: 'Run the service: take submissions, rebuild them, give verdicts and sign them',
  fullDescription: [
    'Takes submissions, rebuilds them, gives verdicts and signs them, until it is ended. Nothing has to be set; what can be is set by',
    'variables, as docs/settings.md lists them: BITWITNESS_LISTEN says where it listens (127.0.0.1:8080), BITWITNESS_HOME where it keeps',
    'things, DATABASE_URL in which database. Ended by SIGTERM or Ctrl-C it takes no more, and lets what runs go on for BITWITNESS_GRACE.',
  ].join('\n'),
  parameters: {
    flags: {
      noWorker: { kind: 'boolean', brief: 'Build nothing in this process: workers on hosts do', default: false, withNegated: false },
      ...jsonFlag,
    },
  },
  async run(io, flags) {
    await using service = await io.service({ worker: !flags.noWorker })
    const { facts } = service
    await printAnswer(io, { json: flags.json, schema: ServingDocument, value: facts, lines: () => servingLines(facts, io) })
    await service.serve(io.signal)
    return EXIT.yes
  },
})
