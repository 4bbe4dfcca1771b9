import type { StoredAttempt } from '../../src/app/store/records.ts'
import type { Verdict } from '../../verifier/model/verdict.ts'
import type { Submitted } from './client.ts'
import type { Character } from './submission-plan.ts'

const VERDICTS: Readonly<Record<Character, Verdict>> = {
  reproduced: 'reproduced',
  locked: 'reproduced',
  mismatch: 'mismatch',
  partly: 'mismatch',
  nondeterministic: 'nondeterministic',
  flaky: 'nondeterministic',
  'build-failed': 'build-failed',
  refused: 'refused',
  unpinnable: 'undecided',
  shaky: 'reproduced',
  hopeless: 'undecided',
}

/** What is wrong with the end of a submission, from what its client saw. `attempts` are those that were made of it. */
export function objectionsTo({ planned, ids, cancel, end, heard }: Submitted, attempts: readonly StoredAttempt[]): readonly string[] {
  const [id = 'none'] = ids
  const about = `submission ${planned.number} (${planned.character}, ${id})`
  if (end === null) return [`${about} did not come to its end`]
  const found: string[] = []
  if (ids.some((one) => one !== id)) found.push(`${about} was accepted twice: ${ids.join(', ')}`)
  if (heard !== null && heard.some((seq, index) => seq !== index + 1)) found.push(`${about} was not followed in order: ${heard.join(' ')}`)
  if (cancel === 'taken') {
    if (end.state !== 'cancelled' || end.verdict !== null) found.push(`${about} was cancelled and is ${end.state}, ${end.verdict}`)
    return found
  }
  const right = VERDICTS[planned.character]
  // Nobody knows of the image what no try came to see.
  const gaveUp = attempts.some(({ life }) => life.state === 'committed' && life.outcome === 'infrastructure')
  const allowed: readonly (Verdict | null)[] = gaveUp ? [right, 'undecided'] : [right]
  if (end.state !== 'finished' || !allowed.includes(end.verdict))
    found.push(`${about} has to be ${right} and is ${end.state}, ${end.verdict}`)
  return found
}
