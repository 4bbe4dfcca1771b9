import { reasonOf } from './ask-guest.ts'
import { type Evidence, factsOf } from './evidence.ts'
import type { GuestAnswer } from './inspect-ports.ts'
import type { InspectionLine } from './inspection.ts'
import { fail, info, lineOf, pass, type Said, skip } from './lines.ts'

/** Whether the app and its guest agent answer. What they say proves nothing yet. */
export function liveLines(evidence: Evidence): readonly InspectionLine[] {
  const { root, health } = evidence.asked
  return [
    lineOf('live-url', live(root)),
    ...(health === null ? [] : [lineOf('health', healthy(health))]),
    lineOf('guest-info', guestInfo(evidence)),
  ]
}

function live(answer: GuestAnswer): Said {
  if (answer.status === null) return skip(reasonOf(answer))
  return info('it answers; what it answers is not looked at', `HTTP ${answer.status}`)
}

function healthy(answer: GuestAnswer): Said {
  if (answer.status === null) return skip(reasonOf(answer))
  const good = answer.status >= 200 && answer.status < 300
  return good ? pass('it answers with success', `HTTP ${answer.status}`) : fail('it answers with no success', `HTTP ${answer.status}`)
}

/** An agent that contradicts what its own guest measured is of another guest, or lies. */
function guestInfo(evidence: Evidence): Said {
  const told = evidence.asked.info
  if (told.value === null) return told.why === 'malformed' ? fail(told.reason) : skip(told.reason)
  const { appId, composeHash, instanceId, name } = told.value
  const facts = factsOf(evidence)
  const differs = (said: string | null, is: string | null): boolean => said !== null && said !== is
  if (facts !== null && (differs(appId, facts.appId) || differs(composeHash, facts.composeHash) || differs(instanceId, facts.instanceId)))
    return fail('it says another app, app-compose or instance than the guest measured')
  return info('claimed by the guest', name === '' ? null : name)
}
