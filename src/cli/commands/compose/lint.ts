import { command, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'
import { composeLintLines } from '../../render/compose-lint.ts'
import { fileArgument } from './file-argument.ts'

export const lintComposeFile = command<{ readonly json: boolean; readonly sarif: boolean }, [string]>({
  brief: 'Say what in an app-compose undoes what is attested of its images',
  parameters: {
    flags: {
      sarif: { kind: 'boolean', brief: 'Print SARIF 2.1.0 on stdout', default: false, withNegated: false },
      ...jsonFlag,
    },
    positional: fileArgument,
  },
  async run(io, flags, file) {
    const { lintCompose, ComposeLint } = await import('../../../app/compose/lint-compose.ts')
    const { readComposeFile } = await import('../../../app/compose/read-compose-file.ts')
    const lint = lintCompose(await readComposeFile(file, io.signal))
    if (flags.sarif && !flags.json) {
      const { composeSarif } = await import('../../../app/compose/compose-sarif.ts')
      io.stdout.write(`${JSON.stringify(composeSarif(lint, { uri: file, version: await io.version() }), null, 2)}\n`)
    } else await printAnswer(io, { json: flags.json, schema: ComposeLint, value: lint, lines: () => composeLintLines(lint, io) })
    return lint.verdict === 'accepted' ? EXIT.yes : EXIT.no
  },
})
