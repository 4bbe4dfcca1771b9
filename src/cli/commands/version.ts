import { z } from 'zod'
import { command, jsonFlag } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { printAnswer } from '../output.ts'

export const VersionDocument = z.strictObject({ schema: z.literal('bitwitness/version/v1'), version: z.string() })

export const version = command<{ readonly json: boolean }, []>({
  brief: 'Print the version',
  parameters: { flags: jsonFlag },
  async run(io, flags) {
    const version = await io.version()
    const value = { schema: 'bitwitness/version/v1' as const, version }
    await printAnswer(io, { json: flags.json, schema: VersionDocument, value, lines: () => [version] })
    return EXIT.yes
  },
})
