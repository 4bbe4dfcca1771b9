import { Random } from '../../verifier/compare/testing/random.ts'
import type { StandInWishes } from '../stand-in-wishes.ts'

/** What a source is made to be, by its content alone. */
export type Character =
  | 'reproduced'
  /** The same, from a lock and inputs of its publisher's. */
  | 'locked'
  | 'mismatch'
  /** Of two claims one is right. */
  | 'partly'
  | 'nondeterministic'
  /** One attempt is built, another fails. */
  | 'flaky'
  | 'build-failed'
  /** A rule of recipes is broken. */
  | 'refused'
  /** The archive does not hold what was submitted. */
  | 'unpinnable'
  /** The machine fails each attempt once. */
  | 'shaky'
  /** The machine fails each attempt each time. */
  | 'hopeless'

export type PlannedSubmission = {
  readonly number: number
  readonly character: Character
  readonly attempts: number
  readonly owner: number
  readonly wishes: Partial<StandInWishes>
  /** After so many events from its acceptance on; null: it is not cancelled. */
  readonly cancelAfterEvents: number | null
  readonly callback: boolean
  /** Its events are followed from the first to the last. */
  readonly followed: boolean
  /** The client loses the answer and asks again, at another coordinator. */
  readonly asksTwice: boolean
}

export type SubmissionPlanOptions = {
  readonly seed: number
  readonly jobs: number
  readonly owners: number
  /** How often each is met, in proportion. */
  readonly weights: Readonly<Partial<Record<Character, number>>>
  /** A build takes up to so long, ms. */
  readonly buildMs: number
}

export const CHARACTERS: Readonly<Record<Character, number>> = {
  reproduced: 6,
  locked: 2,
  mismatch: 3,
  partly: 1,
  nondeterministic: 2,
  flaky: 2,
  'build-failed': 2,
  refused: 1,
  unpinnable: 1,
  shaky: 2,
  hopeless: 1,
}

/** Who submits what: the same for the same seed. Each character is met, where there are jobs enough. */
export function submissionPlan(o: SubmissionPlanOptions): readonly PlannedSubmission[] {
  const random = new Random(o.seed ^ 0x5bd1e995)
  const deck = (Object.entries(o.weights) as [Character, number][]).flatMap(([character, weight]) =>
    Array.from({ length: weight }, () => character),
  )
  let left: Character[] = []
  const draw = (): Character => {
    if (left.length === 0) left = [...deck]
    const [drawn] = left.splice(random.below(left.length), 1)
    return drawn ?? 'reproduced'
  }
  return Array.from({ length: o.jobs }, (_, index) => {
    const character = draw()
    const least = character === 'nondeterministic' || character === 'flaky' ? 2 : 1
    return {
      number: index + 1,
      character,
      attempts: least + random.below(4 - least),
      owner: random.below(o.owners),
      wishes: { waitMs: random.below(o.buildMs), lines: random.below(200), ...WISHES[character] },
      cancelAfterEvents: random.below(8) === 0 ? random.below(40) : null,
      callback: random.below(3) === 0,
      followed: random.below(4) === 0,
      asksTwice: random.below(5) === 0,
    }
  })
}

const WISHES: Readonly<Partial<Record<Character, Partial<StandInWishes>>>> = {
  nondeterministic: { random: true },
  flaky: { failsIn: [2] },
  'build-failed': { fails: true },
  shaky: { brokenTries: 1 },
  hopeless: { brokenTries: 1000 },
}
