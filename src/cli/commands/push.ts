import type { ImageReference } from '../../../verifier/model/image-reference.ts'
import { PushReport } from '../../app/push-documents.ts'
import { command, jsonFlag } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { imageArgument } from '../image-argument.ts'
import { printAnswer } from '../output.ts'
import { pushLines } from '../render/push.ts'
import { showTransfer } from '../transfer-progress.ts'

type PushFlags = { readonly json: boolean; readonly dryRun: boolean; readonly tag?: readonly string[]; readonly artifact?: string }

const text = (value: string): string => value

export const push = command<PushFlags, [string, ImageReference]>({
  brief: 'Push the image of a build to a registry, and write the files to deploy it with',
  parameters: {
    flags: {
      tag: {
        kind: 'parsed',
        parse: text,
        variadic: true,
        optional: true,
        brief: "One more tag, beside the tar's sha256",
        placeholder: 'TAG',
      },
      artifact: {
        kind: 'parsed',
        parse: text,
        optional: true,
        brief: 'Artifact of the build, where it has several images',
        placeholder: 'NAME',
      },
      dryRun: {
        kind: 'boolean',
        brief: 'Check the folder and say what would be done; nothing is sent or written',
        default: false,
        withNegated: false,
      },
      ...jsonFlag,
    },
    positional: {
      kind: 'tuple',
      parameters: [{ parse: text, brief: 'Folder that build wrote', placeholder: 'FOLDER' }, imageArgument],
    },
  },
  async run(io, flags, folder, image) {
    const app = await import('../../app/push.ts')
    await using room = await io.registry()
    using progress = showTransfer(io)
    const report = await app.push(room, {
      folder,
      image,
      artifact: flags.artifact ?? null,
      tags: flags.tag ?? [],
      dryRun: flags.dryRun,
      onProgress: ({ kind, done, total }) => progress.show(kind, done, total),
      signal: io.signal,
    })
    progress[Symbol.dispose]()
    await printAnswer(io, {
      json: flags.json,
      schema: PushReport,
      value: report,
      lines: () => pushLines(report, { color: io.color, folder }),
    })
    return EXIT.yes
  },
})
