import type { z } from 'zod'
import { parseStrictJson } from '../../../verifier/model/strict-json.ts'
import { workerFailure } from './worker-failures.ts'
import { MAX_PROTOCOL_BYTES } from './worker-protocol.ts'

type Documents = z.ZodObject<{ readonly schema: z.ZodLiteral<string> }>

/** Deeper than any document of the protocol. */
const LIMITS = { maxBytes: MAX_PROTOCOL_BYTES, maxDepth: 32 }

/**
 * Reads a document that a worker sent. Fails with `worker-outdated` where it is of another version of its schema, with
 * `worker-message-malformed` where it is none, and with a `json-…` code where not every parser reads it alike.
 */
export function readProtocol<S extends Documents>(schema: S, bytes: Uint8Array): z.infer<S> {
  const value = parseStrictJson(bytes, LIMITS)
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw workerFailure(isOtherVersion(schema.shape.schema.value, value) ? 'worker-outdated' : 'worker-message-malformed')
}

function isOtherVersion(wanted: string, value: unknown): boolean {
  const said = (value as { readonly schema?: unknown } | null)?.schema
  if (typeof said !== 'string' || said === wanted) return false
  const [kind, version] = split(wanted)
  const [otherKind, otherVersion] = split(said)
  return kind === otherKind && version !== otherVersion && /^v\d{1,4}$/.test(otherVersion)
}

function split(schema: string): [kind: string, version: string] {
  const at = schema.lastIndexOf('/')
  return [schema.slice(0, at), schema.slice(at + 1)]
}
