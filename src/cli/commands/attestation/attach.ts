import { parsePinnedReference } from '../../../../verifier/model/image-reference.ts'
import { command, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'
import { attachLines } from '../../render/push.ts'

export const attach = command<{ readonly json: boolean }, string[]>({
  brief: 'Attach bundles to an image in a registry, where cosign finds them',
  parameters: {
    flags: jsonFlag,
    positional: {
      kind: 'array',
      minimum: 2,
      parameter: {
        parse: (text: string): string => text,
        brief: 'Bundles that are about the image, and last the image, HOST/PATH@sha256:…',
        placeholder: 'BUNDLE IMAGE@sha256:…',
      },
    },
  },
  async run(io, flags, ...words) {
    const app = await import('../../../app/attach.ts')
    const image = parsePinnedReference(words.at(-1) ?? '')
    await using room = await io.registry()
    const report = await app.attach(room, { bundles: words.slice(0, -1), image, signal: io.signal })
    await printAnswer(io, { json: flags.json, schema: app.AttachReport, value: report, lines: () => attachLines(report) })
    return EXIT.yes
  },
})
