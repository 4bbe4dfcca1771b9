import { createHash } from 'node:crypto'
import { envelopeToJSON } from '@sigstore/bundle'
import type { VerificationMaterial, Witness } from '@sigstore/sign'
import { z } from 'zod'
import { askService, Base64, below, Count, Hex, readJson, type Wanted } from './ask-service.ts'
import { envelopeOf, signatureOf } from './envelope-content.ts'
import type { Patience } from './http-answer.ts'
import { serviceFailure } from './service-failure.ts'
import { requireWithin, type Validity } from './validity.ts'

type LogEntry = NonNullable<VerificationMaterial['tlogEntries']>[number]

/** A log entry as Rekor's OpenAPI has it. */
const Entry = z.looseObject({
  body: Base64,
  integratedTime: z.number().int().positive(),
  logID: Hex,
  logIndex: Count,
  verification: z.looseObject({
    signedEntryTimestamp: Base64,
    inclusionProof: z.looseObject({
      logIndex: Count,
      treeSize: Count,
      rootHash: Hex,
      hashes: z
        .array(Hex)
        .max(64)
        .nullable()
        .transform((hashes) => hashes ?? []),
      checkpoint: z.string().max(65_536),
    }),
  }),
})
type Entry = z.infer<typeof Entry>

/** What the log keeps of a `dsse` entry: hashes of envelope and payload, and the signatures with the keys that made them. */
const Body = z.looseObject({
  kind: z.literal('dsse'),
  apiVersion: z.literal('0.0.1'),
  spec: z.looseObject({
    payloadHash: z.looseObject({ algorithm: z.literal('sha256'), value: Hex }),
    signatures: z.array(z.looseObject({ signature: Base64, verifier: Base64 })).length(1),
  }),
})

export type RekorOptions = {
  readonly rekor: URL
  readonly validity: Validity
  readonly patience: Patience
  readonly signal: AbortSignal
}

/**
 * A witness that logs the envelope in Rekor v1 as an entry of type `dsse`. An entry that is there already, since an earlier answer was
 * lost, is fetched. The entry is for this envelope, this signature and this key, or there is none: `rekor-wrong`. That it is in the log,
 * and that the log is one to trust, is for verifiers and their trust root.
 */
export function rekorV1Witness(o: RekorOptions): Witness {
  return {
    async testify(content, publicKey) {
      const envelope = envelopeOf(content)
      const verifier = Buffer.from(publicKey)
      const proposed = {
        apiVersion: '0.0.1',
        kind: 'dsse',
        spec: { proposedContent: { envelope: JSON.stringify(envelopeToJSON(envelope)), verifiers: [verifier.toString('base64')] } },
      }
      const entry = readEntry(await propose(o, JSON.stringify(proposed)))
      const { payloadHash, signatures } = readJson('rekor', Body, entry.body).spec
      const ours =
        payloadHash.value.equals(createHash('sha256').update(envelope.payload).digest()) &&
        signatures[0]?.signature.equals(signatureOf(content)) === true &&
        bare(signatures[0].verifier.toString('utf8')) === bare(publicKey)
      if (!ours) throw serviceFailure('rekor', 'wrong')
      requireWithin(o.validity, new Date(entry.integratedTime * 1000))
      return { tlogEntries: [toLogEntry(entry)] }
    },
  }
}

async function propose(o: RekorOptions, body: string): Promise<Wanted> {
  const entries = below(o.rekor, 'api/v1/log/entries')
  const request = { patience: o.patience, signal: o.signal } as const
  const accept = { accept: 'application/json' }
  const headers = { ...accept, 'content-type': 'application/json' }
  const answer = await askService('rekor', { ...request, url: entries, method: 'POST', headers, body }, [200, 201, 409])
  if (answer.status !== 409) return answer
  // Only the entry's name is taken from the header: it is asked for where the settings say.
  const uuid = /([0-9a-f]{64}|[0-9a-f]{80})$/.exec(answer.location ?? '')?.[1]
  if (uuid === undefined) throw serviceFailure('rekor', 'malformed', { status: 409 })
  return await askService('rekor', { ...request, url: below(entries, uuid), method: 'GET', headers: accept }, [200])
}

function readEntry({ body }: Wanted): Entry {
  const [entry, ...more] = Object.values(readJson('rekor', z.record(z.string(), Entry), body))
  if (entry === undefined || more.length > 0) throw serviceFailure('rekor', 'malformed')
  return entry
}

/** The base64 of a PEM, however its lines are broken. */
function bare(pem: string): string {
  return pem.replaceAll(/-----[^-]+-----|\s/g, '')
}

function toLogEntry({ body, integratedTime, logID, logIndex, verification }: Entry): LogEntry {
  const { inclusionProof, signedEntryTimestamp } = verification
  return {
    logIndex,
    logId: { keyId: logID },
    kindVersion: { kind: 'dsse', version: '0.0.1' },
    integratedTime: String(integratedTime),
    inclusionPromise: { signedEntryTimestamp },
    inclusionProof: { ...inclusionProof, checkpoint: { envelope: inclusionProof.checkpoint } },
    canonicalizedBody: body,
  }
}
