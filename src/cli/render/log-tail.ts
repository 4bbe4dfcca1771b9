import type { Attempt } from '../../../verifier/model/attempt.ts'
import { withPrefix } from '../../../verifier/model/digest.ts'
import { shortened, visible } from '../../../verifier/model/visible.ts'
import type { LogTail } from '../log-tail.ts'

/** Characters of a line that are shown. */
const WIDTH = 300

/** The end of the log of the first attempt that failed, and how to get all of it. */
export function failedLogLines(attempts: readonly Attempt[], tail: LogTail): string[] {
  const failed = attempts.find(({ outcome }) => outcome !== 'built' && outcome !== 'cancelled')
  if (failed === undefined) return []
  const all = failed.log === null ? [] : [`  all of it: bitwitness blob ${withPrefix(failed.log)}`]
  return titled(`end of the log of attempt ${failed.number}`, [...shown(tail.of(failed.number)), ...all])
}

/** The same where nothing is known of the attempts but what they wrote. */
export function heardLogLines(tail: LogTail): string[] {
  const [attempt] = tail.attempts()
  return attempt === undefined
    ? []
    : titled(`end of the log of attempt ${attempt}`, [...shown(tail.of(attempt)), '  all of it: run it again with --verbose'])
}

function shown(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${shortened(visible(line), WIDTH)}`.trimEnd())
}

function titled(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines]
}
