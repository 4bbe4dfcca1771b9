import { Explanation } from '../../../verifier/model/explanation.ts'
import { command, jsonFlag } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { printAnswer } from '../output.ts'

const file = (placeholder: string) => ({
  parse: (text: string): string => text,
  brief: 'A tar, plain or compressed, or another artifact',
  placeholder,
})

export const explain = command<{ readonly json: boolean }, [string, string]>({
  brief: 'Say why two artifacts differ, with what to do about it',
  parameters: { flags: jsonFlag, positional: { kind: 'tuple', parameters: [file('LEFT'), file('RIGHT')] } },
  async run(io, flags, left, right) {
    const { explainFiles } = await import('../../app/explain-files.ts')
    const { renderExplanation } = await import('../../../verifier/explain/render.ts')
    await using room = await io.scratch()
    const explanation = await explainFiles({ left, right, blobs: room.blobs, scratch: room.path, signal: io.signal })
    await printAnswer(io, { json: flags.json, schema: Explanation, value: explanation, lines: () => renderExplanation(explanation) })
    return exitOfExplanation(explanation)
  },
})

export function exitOfExplanation({ state, totals, findings }: Explanation): ExitCode {
  const differences = totals.added + totals.removed + totals.changed + totals.ranges + findings.length
  if (differences > 0) return EXIT.no
  return state === 'complete' ? EXIT.yes : EXIT.unknown
}
