import { z } from 'zod'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { parseStrictJson } from '../../../verifier/model/strict-json.ts'
import { EventLog, type LoggedEvent } from './event-log.ts'
import { MOST_QUOTE_BYTES } from './td-quote.ts'

/** Of one answer of a guest agent: an app-compose has up to 256 KiB, and stands in it as text in a text. */
export const MOST_ANSWER_BYTES = 4 << 20
const LIMITS = { maxBytes: MOST_ANSWER_BYTES, maxDepth: 16 }

const id = z.union([z.literal(''), z.string().regex(/^[0-9a-fA-F]{40}$/)]).transform((text) => (text === '' ? null : text.toLowerCase()))
const hash = z.union([z.literal(''), z.string().regex(/^[0-9a-fA-F]{64}$/)]).transform((text) => (text === '' ? null : text.toLowerCase()))
const sha256 = hash.pipe(Sha256.nullable())
const json = z.string().max(MOST_ANSWER_BYTES)

/** `AppInfo` (dstack, agent_rpc.proto), as far as it is asked about here. Older agents leave out what is optional. */
const AppInfo = z.object({
  app_id: id,
  instance_id: id,
  app_name: z.string().max(1024).default(''),
  tcb_info: json,
  vm_config: json.default(''),
  os_image_hash: sha256.default(null),
  compose_hash: sha256.default(null),
})
/** The JSON in `tcb_info`; empty where the app does not show it. */
const TcbInfo = z.object({ app_compose: z.string().max(MOST_ANSWER_BYTES), os_image_hash: sha256.nullish() })
const VmConfig = z.object({ os_image_hash: sha256.nullish(), mr_config: z.string().max(MOST_ANSWER_BYTES).nullish() })

/** What a guest says of itself. */
export type GuestInfo = {
  readonly appId: string | null
  readonly instanceId: string | null
  readonly name: string
  readonly composeHash: Sha256 | null
  readonly osImageHash: Sha256 | null
  /** The exact bytes; null where it does not show them. */
  readonly appCompose: Uint8Array | null
  /** The document of a configuration id, version 3. */
  readonly mrConfig: string | null
}

/** Reads the answer to `Info`; undefined where it is none. A pure function. */
export function readGuestInfo(body: Uint8Array): GuestInfo | undefined {
  const info = parsed(AppInfo, body)
  if (info === undefined) return undefined
  const tcb = info.tcb_info === '' ? null : parsed(TcbInfo, Buffer.from(info.tcb_info))
  // It is of the host's making, and only asked for a document.
  const vm = info.vm_config === '' ? undefined : parsed(VmConfig, Buffer.from(info.vm_config))
  if (tcb === undefined) return undefined
  return {
    appId: info.app_id,
    instanceId: info.instance_id,
    name: info.app_name,
    composeHash: info.compose_hash,
    osImageHash: info.os_image_hash ?? tcb?.os_image_hash ?? vm?.os_image_hash ?? null,
    appCompose: tcb === null ? null : Buffer.from(tcb.app_compose),
    mrConfig: vm?.mr_config ?? null,
  }
}

/** `GetQuoteResponse` (dstack, agent_rpc.proto); without a quote on platforms other than TDX. */
const QuoteResponse = z.object({
  quote: z
    .string()
    .max(2 * MOST_QUOTE_BYTES)
    .regex(/^(?:[0-9a-fA-F]{2})*$/),
  event_log: json,
})

/** A quote and the log of what its registers were extended by. `quote`: null on platforms other than TDX. */
export type GuestAttestation = { readonly quote: Uint8Array | null; readonly log: readonly LoggedEvent[] }

/** Reads the answer to `GetAttestationForAppKey`; undefined where it is none. A pure function. */
export function readGuestAttestation(body: Uint8Array): GuestAttestation | undefined {
  const answer = parsed(QuoteResponse, body)
  if (answer === undefined) return undefined
  const log = answer.event_log === '' ? [] : parsed(EventLog, Buffer.from(answer.event_log))
  return log === undefined ? undefined : { quote: answer.quote === '' ? null : Buffer.from(answer.quote, 'hex'), log }
}

function parsed<S extends z.ZodType>(schema: S, bytes: Uint8Array): z.infer<S> | undefined {
  try {
    return schema.safeParse(parseStrictJson(bytes, LIMITS)).data
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}
