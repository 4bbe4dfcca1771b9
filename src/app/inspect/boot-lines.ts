import { replayFirmware } from './event-log.ts'
import { type Evidence, factsOf } from './evidence.ts'
import type { InspectionLine } from './inspection.ts'
import { fail, info, lineOf, pass, type Said, skip } from './lines.ts'

/** What booted, and what it measured of itself. */
export function bootLines(evidence: Evidence): readonly InspectionLine[] {
  return [
    lineOf('rtmr3-replay', replayed(evidence)),
    lineOf('firmware-replay', firmware(evidence)),
    lineOf('boot-events', ordered(evidence)),
    lineOf('boot-measurement', measured(evidence)),
    lineOf('os-image', osImage(evidence)),
  ]
}

const NO_QUOTE = 'there is no quote with an event log'
const PROBLEMS = {
  'digest-missing': 'a digest is missing in the log',
  'digest-wrong': 'a digest in the log is not that of its event',
  'foreign-event': 'an event in the log has a digest that follows from nothing',
} as const

function replayed({ replay, replayed: same }: Evidence): Said {
  if (replay === null) return skip(NO_QUOTE)
  if (typeof replay === 'string') return fail(PROBLEMS[replay])
  const detail = `${replay.steps.length} events`
  return same
    ? pass('every digest was made again, and they come to RTMR3', detail)
    : fail('the log is not what RTMR3 was extended by', detail)
}

function firmware({ asked, quote }: Evidence): Said {
  const log = asked.attestation.value?.log
  if (log === undefined || quote === null) return skip(NO_QUOTE)
  for (const imr of [0, 1, 2] as const) {
    const replay = replayFirmware(log, imr)
    if (typeof replay === 'string') return skip('the log leaves out what the firmware measured')
    if (replay.value !== quote.rtmrs[imr]) return fail(`the log is not what RTMR${imr} was extended by`)
  }
  return pass('the digests that the log gives come to RTMR0, RTMR1 and RTMR2')
}

function ordered(evidence: Evidence): Said {
  const { boot } = evidence
  if (boot === null) return skip(NO_QUOTE)
  if (typeof boot === 'string') return fail(boot)
  return factsOf(evidence) === null
    ? skip('the log is not what the quote is about')
    : pass('its own events stand in it once each, in order, and end with system-ready')
}

function measured({ quote, measurements, measured: one }: Evidence): Said {
  if (quote === null) return skip('there is no quote')
  if (measurements === null)
    return skip('needs a boot-measurement check: give what the image measures to; until then all that the guest says is its own word')
  return one === null
    ? fail('MRTD and RTMR0 to RTMR2 are those of none of the measured images')
    : pass('MRTD and RTMR0 to RTMR2 are those of a measured image', one.osImageHash)
}

function osImage(evidence: Evidence): Said {
  const { asked, measured: one } = evidence
  const claims = [factsOf(evidence)?.osImageHash ?? null, asked.info.value?.osImageHash ?? null].filter((claim) => claim !== null)
  if (one === null)
    return claims[0] === undefined
      ? skip('nothing names a guest image')
      : info('claimed by the guest: nothing binds the hash to what booted', claims[0])
  return claims.length === 0 || claims.includes(one.osImageHash)
    ? pass('the measured image is the one that the guest names', one.osImageHash)
    : fail('the guest names another image than the measured one', one.osImageHash)
}
