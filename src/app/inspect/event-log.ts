import { createHash } from 'node:crypto'
import { z } from 'zod'

/** Type of the events that dstack itself extends registers by (cc-eventlog, runtime_events.rs). */
export const RUNTIME_EVENT = 0x08000001
/** Event logs have some thirty events; an app can add its own. */
const MOST_EVENTS = 4096
const MOST_PAYLOAD = 256 * 1024

const bytesOfHex = (most: number) =>
  z
    .string()
    .max(2 * most)
    .regex(/^(?:[0-9a-fA-F]{2})*$/)
    .transform((text) => Buffer.from(text, 'hex'))

/** An event by which a register was extended. */
export type LoggedEvent = {
  /** Register, from 0 to 3. */
  readonly imr: number
  readonly type: number
  /** 48 bytes, or none where it follows from name and payload. */
  readonly digest: Buffer
  readonly name: string
  readonly payload: Buffer
  readonly version: 1 | 2
}

/** `TdxEvent` (cc-eventlog, tdx.rs). Keys that are not known are passed over: later versions add some. */
const TdxEvent = z
  .object({
    imr: z.int().min(0).max(3),
    event_type: z.int().min(0).max(0xffffffff),
    /** Empty where it follows from name and payload. */
    digest: bytesOfHex(48)
      .refine(({ length }) => length === 0 || length === 48)
      .default(Buffer.alloc(0)),
    event: z
      .string()
      .max(1024)
      .refine((name) => name.isWellFormed()),
    event_payload: bytesOfHex(MOST_PAYLOAD),
    version: z.union([z.literal(1), z.literal(2)]).default(1),
  })
  .transform(
    ({ imr, event_type: type, digest, event: name, event_payload: payload, version }): LoggedEvent => ({
      imr,
      type,
      digest,
      name,
      payload,
      version,
    }),
  )
export const EventLog = z.array(TdxEvent).max(MOST_EVENTS)

/** What a register comes to by a log, and what it was on the way, after each of its events. Hex. */
export type Replay = { readonly value: string; readonly steps: readonly string[] }

/** Why a log does not give a register. */
export type ReplayProblem = 'digest-missing' | 'digest-wrong' | 'foreign-event'

/**
 * Replays RTMR3. Every digest is made of name and payload, whatever the log says it is: a name counts for nothing where its digest is not its own.
 * An event of another kind has a digest that follows from nothing, and could stand for any name. A pure function.
 */
export function replayRuntime(log: readonly LoggedEvent[]): Replay | ReplayProblem {
  const digests: Buffer[] = []
  for (const event of log.filter(({ imr }) => imr === 3)) {
    if (event.type !== RUNTIME_EVENT) return 'foreign-event'
    const digest = runtimeDigest(event)
    if (event.digest.length > 0 && !event.digest.equals(digest)) return 'digest-wrong'
    digests.push(digest)
  }
  return extended(digests)
}

/** Replays a register of the firmware by the digests that the log gives: what they are of is not known here. A pure function. */
export function replayFirmware(log: readonly LoggedEvent[], imr: 0 | 1 | 2): Replay | ReplayProblem {
  const digests = log.filter((event) => event.imr === imr).map(({ digest }) => digest)
  return digests.length === 0 || digests.some(({ length }) => length === 0) ? 'digest-missing' : extended(digests)
}

function extended(digests: readonly Buffer[]): Replay {
  let register: Buffer = Buffer.alloc(48)
  const steps = digests.map((digest) => {
    register = sha384(Buffer.concat([register, digest]))
    return register.toString('hex')
  })
  return { value: register.toString('hex'), steps }
}

/** Digest of a runtime event, in the form of its version. In the second it is of canonical JSON (RFC 8785), as which JSON.stringify writes this. */
export function runtimeDigest({ name, payload, version }: Pick<LoggedEvent, 'name' | 'payload' | 'version'>): Buffer {
  if (version === 2) return sha384(JSON.stringify({ name, payload: payload.toString('hex'), type: RUNTIME_EVENT }))
  const type = Buffer.alloc(4)
  type.writeUInt32LE(RUNTIME_EVENT)
  return sha384(Buffer.concat([type, Buffer.from(`:${name}:`), payload]))
}

function sha384(bytes: Buffer | string): Buffer {
  return createHash('sha384').update(bytes).digest()
}
