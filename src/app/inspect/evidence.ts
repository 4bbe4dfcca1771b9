import type { AskedGuest } from './ask-guest.ts'
import { type BootFacts, readBootEvents } from './boot-events.ts'
import { type BootMeasurement, measurementOf } from './boot-measurements.ts'
import { type Replay, type ReplayProblem, replayRuntime } from './event-log.ts'
import type { QuoteCheck } from './inspect-ports.ts'
import { readTdQuote, type TdQuote } from './td-quote.ts'

/** What a guest shows, and what was made of it. */
export type Evidence = {
  readonly asked: AskedGuest
  /** Null: there is none, or it cannot be read. */
  readonly quote: TdQuote | null
  readonly signature: QuoteCheck
  readonly replay: Replay | ReplayProblem | null
  /** Whether the replay gives the quote's own register. */
  readonly replayed: boolean
  /** What the guest measured of itself, or why that cannot be taken; null where there is no log. */
  readonly boot: BootFacts | string | null
  /** Null: none were given. */
  readonly measurements: readonly BootMeasurement[] | null
  readonly measured: BootMeasurement | null
  /**
   * Whether what the guest says can be believed: hardware signed for what booted, nobody looks into it, what booted is known, and the log is what
   * it measured. Without any one of them a guest of the host's making says the same.
   */
  readonly believed: boolean
}

/** Puts together what hangs together, whatever each line says about it. A pure function. */
export function evidenceOf(asked: AskedGuest, signature: QuoteCheck, measurements: readonly BootMeasurement[] | null): Evidence {
  const attestation = asked.attestation.value
  const quote = attestation?.quote == null ? null : (readTdQuote(attestation.quote) ?? null)
  const replay = attestation === null || quote === null ? null : replayRuntime(attestation.log)
  const replayed = quote !== null && replay !== null && typeof replay !== 'string' && replay.value === quote.rtmrs[3]
  const boot = attestation === null ? null : readBootEvents(attestation.log)
  const measured = quote === null || measurements === null ? null : (measurementOf(measurements, quote) ?? null)
  const closed = quote !== null && !quote.debug && quote.plain
  const believed = signature.result === 'valid' && closed && replayed && boot !== null && typeof boot !== 'string' && measured !== null
  return { asked, quote, signature, replay, replayed, boot, measurements, measured, believed }
}

/** What the guest measured of itself; null where its log is not what the quote is about. */
export function factsOf({ boot, replayed }: Pick<Evidence, 'boot' | 'replayed'>): BootFacts | null {
  return boot === null || typeof boot === 'string' || !replayed ? null : boot
}
