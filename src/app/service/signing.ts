import type { StatementSigner } from '../../../attestations/sign/statement-signer.ts'
import { encodeStatement } from '../../../attestations/statement/encode.ts'
import { statementsOf } from '../../../attestations/statement/statements.ts'
import { oneChunk } from '../../../verifier/bytes/one-chunk.ts'
import type { BlobStore, StoredBlob } from '../../../verifier/model/blob-store.ts'
import { Failure, firstFailure } from '../../../verifier/model/failure.ts'
import { retriedBy } from '../store/retry-delay.ts'
import type { TakenJob } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import type { JobEnd, JobWork } from './job-runner.ts'
import type { ServiceFacts } from './service-events.ts'
import { signedBy } from './signed-by.ts'
import { type SigningReads, statementSources } from './statement-sources.ts'

export type SigningPorts = ServicePorts & {
  readonly reads: SigningReads
  readonly blobs: BlobStore
  /** Who signs, asked anew for each statement: a key or a server that was put right counts from then on. */
  readonly signer: () => Promise<{ readonly signer: StatementSigner; readonly builderBase: string }>
  /** Who runs the service, as statements say it. */
  readonly operator: string | null
}

/** What no outage explains: it is tried again when somebody may have changed what it lies in, not as often as the queue would. */
const FOR_GOOD: ReadonlySet<string> = new Set([
  'signer-is-owner',
  'statement-not-planned',
  'report-malformed',
  'report-contradicts-itself',
  'verdict-not-attestable',
  'lock-of-another-build',
  'statement-malformed',
  'predicate-malformed',
])
const FOR_GOOD_MS = 6 * 3600_000

/**
 * Signs one statement about a verdict and publishes it, once. A signature that cannot be had is tried for again for as long as it takes;
 * why the last try failed stays in the backlog as a code.
 */
export function signingWork(ports: SigningPorts): JobWork<'signing'> {
  return async (job, signal) => {
    const { verificationId, predicateType } = job.data
    const published = await ports.reads.attestations.of(verificationId)
    if (published.some((one) => one.predicateType === predicateType)) return { end: 'done' }
    try {
      return publishing(ports, job, await sign(ports, job, signal))
    } catch (error) {
      signal.throwIfAborted()
      return failing(ports, job, firstFailure(error))
    }
  }
}

type Signed = { readonly bundle: StoredBlob; readonly signer: string }

async function sign(ports: SigningPorts, { data }: TakenJob<'signing'>, signal: AbortSignal): Promise<Signed> {
  const { signer, builderBase } = await ports.signer()
  const { report, lock, context, owner } = await statementSources(ports, data.verificationId)
  const statements = statementsOf(report, { ...context, builderBase, operator: ports.operator }, lock)
  const statement = statements.find(({ predicateType }) => predicateType === data.predicateType)
  if (statement === undefined)
    throw new Failure({
      code: 'statement-not-planned',
      message: 'the report gives rise to no statement of this type',
      hint: 'it was planned by another version of the service: report it',
      audience: 'operator',
    })
  const repository = report.source.kind === 'git' ? report.source.url : null
  const text = await signer.sign(encodeStatement(statement), { signal, owner, repository })
  return { bundle: await ports.blobs.put(oneChunk(text)), signer: await signedBy(signer, text, signal) }
}

function publishing(ports: SigningPorts, { data }: TakenJob<'signing'>, { bundle, signer }: Signed): JobEnd<'signing'> {
  const { verificationId, predicateType } = data
  let signed: ServiceFacts['signed'] | null = null
  return {
    end: 'done',
    write: async ({ attestations, blobs, notices }) => {
      const at = ports.now()
      const id = ports.newId()
      await blobs.refer({ ...bundle, verificationId, role: 'bundle', at })
      const attestation = { id, verificationId, predicateType, bundle: bundle.sha256, signer, createdAt: at }
      // Whoever had the job published one and could not say so any more: that one stays.
      signed = (await attestations.publish(attestation))
        ? { verification: verificationId, predicateType, attestation: id, bundle: bundle.sha256 }
        : null
      await notices.send('verifications', verificationId)
      await notices.send('verdicts', verificationId)
    },
    told: () => {
      if (signed !== null) ports.events?.signed?.(signed)
    },
  }
}

function failing(ports: SigningPorts, { data, tries }: TakenJob<'signing'>, error: unknown): JobEnd<'signing'> {
  const { verificationId, predicateType } = data
  const code = error instanceof Failure ? error.code : 'internal'
  const lasting = FOR_GOOD.has(code)
  const now = ports.now()
  const nextAt = lasting ? new Date(now.getTime() + FOR_GOOD_MS) : retriedBy(now, tries)
  return {
    end: 'again',
    write: async ({ attestations }) => await attestations.failed({ verificationId, predicateType, code, nextAt }),
    told: () => ports.events?.signingFailed?.({ verification: verificationId, predicateType, error, tries, nextAt }),
    ...(lasting ? { next: { at: nextAt, data } } : {}),
  }
}
