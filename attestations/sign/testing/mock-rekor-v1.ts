import { createHash, createPublicKey, verify, X509Certificate } from 'node:crypto'
import { dsse } from '@sigstore/core'
import type { initializeTLog } from '@sigstore/mock'
import { z } from 'zod'
import type { Reply } from './mock-reply.ts'

type TLog = Awaited<ReturnType<typeof initializeTLog>>

const Proposed = z.strictObject({
  apiVersion: z.literal('0.0.1'),
  kind: z.literal('dsse'),
  spec: z.strictObject({ proposedContent: z.strictObject({ envelope: z.string(), verifiers: z.tuple([z.base64()]) }) }),
})
const Envelope = z.strictObject({
  payload: z.base64(),
  payloadType: z.string(),
  signatures: z.tuple([z.strictObject({ sig: z.base64(), keyid: z.string().optional() })]),
})

/**
 * What the mock's log leaves out of Rekor v1: it verifies the signature, logs the canonical entry instead of the proposed one (which no
 * verifier takes for the other), and knows again what it has: 409, with the entry to be fetched by its UUID.
 */
export class MockRekorV1 {
  readonly #log: TLog
  readonly #entries = new Map<string, object>()
  readonly #uuids = new Map<string, string>()

  constructor(log: TLog) {
    this.#log = log
  }

  async create(body: string): Promise<Reply> {
    const proposed = Proposed.safeParse(JSON.parse(body))
    if (!proposed.success) return problem(400, 'invalid entry')
    const { envelope, verifiers } = proposed.data.spec.proposedContent
    const { payload, payloadType, signatures } = Envelope.parse(JSON.parse(envelope))
    const verifier = Buffer.from(verifiers[0], 'base64').toString('utf8')
    const key = verifier.includes('BEGIN CERTIFICATE') ? new X509Certificate(verifier).publicKey : createPublicKey(verifier)
    const bytes = Buffer.from(payload, 'base64')
    const signature = signatures[0].sig
    if (!verify('sha256', dsse.preAuthEncoding(payloadType, bytes), key, Buffer.from(signature, 'base64')))
      return problem(400, 'signature does not verify')
    const spec = {
      envelopeHash: { algorithm: 'sha256', value: sha256(envelope) },
      payloadHash: { algorithm: 'sha256', value: sha256(bytes) },
      signatures: [{ signature, verifier: verifiers[0] }],
    }
    const entry = { apiVersion: '0.0.1', kind: 'dsse', spec }
    const known = this.#uuids.get(sha256(JSON.stringify(entry)))
    if (known !== undefined) return { ...problem(409, 'an equivalent entry already exists'), location: `/api/v1/log/entries/${known}` }
    const logged = await this.#log.log(entry)
    const [uuid = ''] = Object.keys(logged)
    this.#entries.set(uuid, logged)
    this.#uuids.set(sha256(JSON.stringify(entry)), uuid)
    return { status: 201, type: 'application/json', body: JSON.stringify(logged) }
  }

  get(uuid: string): Reply {
    const entry = this.#entries.get(uuid)
    return entry === undefined ? problem(404, 'entry not found') : { status: 200, type: 'application/json', body: JSON.stringify(entry) }
  }
}

function problem(status: number, message: string) {
  return { status, type: 'application/json', body: JSON.stringify({ code: status, message }) }
}

function sha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex')
}
