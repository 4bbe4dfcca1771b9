import { BuilderImage } from '../../../../verifier/builder/image-description.ts'
import type { EventBody } from '../../../../verifier/model/event.ts'
import { command, fileFlag, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'
import { showProgress } from '../../progress.ts'
import { builderLines } from './document.ts'

type Flags = {
  readonly json: boolean
  readonly verbose: boolean
  readonly lock?: string
  readonly inputs?: string
  readonly mkosi?: string
}

export const buildBuilder = command<Flags, []>({
  brief: 'Make the builder image from mirrors or, byte for byte again, from its lock',
  parameters: {
    flags: {
      ...jsonFlag,
      verbose: { kind: 'boolean', brief: 'Show the log on stderr', default: false, withNegated: false },
      lock: fileFlag('Make it from exactly these inputs'),
      inputs: fileFlag("Take the lock's inputs from this archive instead of mirrors"),
      mkosi: {
        kind: 'parsed',
        parse: (text: string): string => text,
        brief: 'Version of mkosi, if not the one of the settings',
        optional: true,
        placeholder: 'VERSION',
      },
    },
  },
  async run(io, flags) {
    await using useCases = await io.open()
    const progress = showProgress(io, { verbose: flags.verbose })
    try {
      const builder = await useCases.makeBuilder({
        lock: flags.lock ?? null,
        inputs: flags.inputs ?? null,
        mkosi: flags.mkosi ?? null,
        emit: numbered(progress.emit),
        signal: io.signal,
      })
      progress.close()
      await printAnswer(io, { json: flags.json, schema: BuilderImage, value: builder, lines: () => builderLines(builder) })
      return EXIT.yes
    } finally {
      progress.close()
    }
  },
})

/** Gives events of no attempt the number and time that those of attempts come with. */
function numbered(emit: ReturnType<typeof showProgress>['emit']): (event: EventBody) => void {
  let seq = 0
  return (event) => {
    seq += 1
    emit({ ...event, seq, attempt: 0, at: new Date().toISOString() })
  }
}
