import type { Attempt, OutcomeReason } from '../../../verifier/model/attempt.ts'
import { shortened, visible } from '../../../verifier/model/visible.ts'
import { workerFailure } from './worker-failures.ts'

const MAX_TEXT = 4096
const MAX_FACTS = 32
const MAX_STAGES = 64
/** Each is noted, referred to and compared for itself; a recipe has one for each of its images, and some that are split off. */
const MAX_ARTIFACTS = 1000
const CODE = /^[a-z0-9]+(-[a-z0-9]+)*$/
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/
const PROFILE = /^[A-Za-z0-9][A-Za-z0-9._/+-]{0,63}$/

/**
 * An attempt that a worker reported, as it may be kept and shown: texts that would move a terminal or turn a line around made visible, and
 * cut. What is to be a word of ours and is none fails with `report-contradictory`. Tries before this one are the coordinator's to tell.
 */
export function shownAttempt(attempt: Attempt): Attempt {
  const { stages, sandbox, artifacts, reason } = attempt
  if (stages.length > MAX_STAGES || stages.some(({ startedAt }) => !isInstant(startedAt))) throw contradictory('stages')
  if (artifacts.length > MAX_ARTIFACTS) throw contradictory('artifacts')
  if (sandbox !== null && !PROFILE.test(sandbox.profile)) throw contradictory('sandbox')
  return {
    ...attempt,
    retried: [],
    reason: reason === null ? null : shownReason(reason),
    artifacts: artifacts.map((artifact) => ({
      ...artifact,
      notComparable: artifact.notComparable === null ? null : shown(artifact.notComparable),
    })),
  }
}

function shownReason({ code, message, data }: OutcomeReason): OutcomeReason {
  const facts = Object.entries(data)
  if (code.length > 64 || !CODE.test(code) || facts.length > MAX_FACTS || facts.some(([name]) => !NAME.test(name)))
    throw contradictory('reason')
  const told = facts.map(([name, value]) => [name, typeof value === 'string' ? shown(value) : value] as const)
  return { code, message: shown(message), data: Object.fromEntries(told) }
}

function isInstant(text: string): boolean {
  return INSTANT.test(text) && !Number.isNaN(Date.parse(text))
}

function shown(text: string): string {
  return shortened(visible(text), MAX_TEXT)
}

function contradictory(what: string): Error {
  return workerFailure('report-contradictory', { what })
}
