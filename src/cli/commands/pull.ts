import type { PinnedReference } from '../../../verifier/model/image-reference.ts'
import { command, jsonFlag } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { pinnedArgument } from '../image-argument.ts'
import { printAnswer } from '../output.ts'
import { pullLines } from '../render/push.ts'
import { showTransfer } from '../transfer-progress.ts'

type PullFlags = { readonly json: boolean; readonly output: string }

export const pull = command<PullFlags, [PinnedReference]>({
  brief: 'Fetch an image by its digest into an OCI layout, every byte checked',
  parameters: {
    flags: {
      output: {
        kind: 'parsed',
        parse: (text: string): string => text,
        brief: 'Folder for the layout, which must be empty or not exist',
        placeholder: 'FOLDER',
      },
      ...jsonFlag,
    },
    aliases: { o: 'output' },
    positional: { kind: 'tuple', parameters: [pinnedArgument] },
  },
  async run(io, flags, image) {
    const app = await import('../../app/pull.ts')
    await using room = await io.registry()
    using progress = showTransfer(io)
    const report = await app.pull(room, {
      image,
      output: flags.output,
      maxBytes: room.maxBytes,
      onBytes: (done, total) => progress.show('image', done, total),
      signal: io.signal,
    })
    progress[Symbol.dispose]()
    await printAnswer(io, { json: flags.json, schema: app.PullReport, value: report, lines: () => pullLines(report) })
    return EXIT.yes
  },
})
