import { command, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'
import { lintLines } from '../../render/lint.ts'
import { sourceArgument } from '../../source-argument.ts'

export const lint = command<{ readonly json: boolean }, [string]>({
  brief: 'Say what a recipe may not do and what keeps it from giving the same bytes again, without running it',
  parameters: { flags: jsonFlag, positional: sourceArgument },
  async run(io, flags, source) {
    const { lintRecipe, RecipeLint } = await import('../../../app/lint-recipe.ts')
    const { access, mkosi } = await io.reading()
    await using room = await io.scratch()
    const report = await lintRecipe({ source, access, mkosi, scratch: room.path, signal: io.signal })
    await printAnswer(io, { json: flags.json, schema: RecipeLint, value: report, lines: () => lintLines(report, io) })
    return report.verdict === 'accepted' ? EXIT.yes : EXIT.no
  },
})
