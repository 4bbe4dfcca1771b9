import type { StatementContext } from '../../../attestations/statement/context.ts'
import { parseReport } from '../../../attestations/statement/parse-report.ts'
import type { KnownLock } from '../../../attestations/statement/provenance.ts'
import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import type { VerificationReport } from '../../../verifier/model/report.ts'
import type { Owner, Verification } from '../store/records.ts'
import type { Reads } from '../store/store-ports.ts'
import { wholeBlob } from '../whole-blob.ts'
import { lockBlob } from './lock-blob.ts'

export type SigningReads = {
  readonly attempts: Pick<Reads['attempts'], 'of' | 'tries'>
  readonly attestations: Pick<Reads['attestations'], 'of'>
  readonly owners: Pick<Reads['owners'], 'find'>
  readonly verifications: Pick<Reads['verifications'], 'read'>
  readonly workers: Pick<Reads['workers'], 'find'>
}

/** What the statements about a verdict are made from. `owner` is what the signer is held against. */
export type StatementSources = {
  readonly report: VerificationReport
  readonly lock: KnownLock | undefined
  readonly context: Omit<StatementContext, 'builderBase' | 'operator'>
  readonly owner: string | null
}

/** Failures: `report-malformed`, `blob-missing`, `blob-damaged`, `verdict-not-attestable` where there is no report. */
export async function statementSources(
  ports: { readonly reads: SigningReads; readonly blobs: BlobStore },
  verificationId: string,
): Promise<StatementSources> {
  const verification = await ports.reads.verifications.read(verificationId)
  const reportDigest = verification?.report ?? null
  if (verification === undefined || reportDigest === null)
    throw new Failure({
      code: 'verdict-not-attestable',
      message: 'a verification without a report says nothing about the image: there is nothing to sign',
      hint: 'verify again, then attest the new report',
    })
  const report = parseReport(JSON.parse((await wholeBlob(ports.blobs, reportDigest)).toString('utf8')))
  const owner = await ports.reads.owners.find(verification.ownerId)
  // The attempts of one that was answered by an earlier one ran in that.
  const ranIn = verification.reusedFrom ?? verification.id
  return {
    report,
    lock: await knownLock(ports.blobs, report),
    context: {
      owner: owner === undefined ? null : identityOf(owner),
      worker: await workersOf(ports.reads, ranIn),
      invocationId: `urn:uuid:${ranIn}`,
      reportDigest,
    },
    owner: owner?.name ?? null,
  }
}

/** The issuer's own name for an owner is never given to another; the one that people read follows it. */
export function identityOf({ kind, issuer, subject, name }: Pick<Owner, 'kind' | 'issuer' | 'subject' | 'name'>): string {
  return kind === 'local' ? `local:${subject}` : `${issuer}#${subject} ${name}`
}

/** Who ran the attempts, in their order. */
async function workersOf({ attempts, workers }: SigningReads, verificationId: Verification['id']): Promise<string | null> {
  const names = new Set<string>()
  for (const { id } of await attempts.of(verificationId)) {
    const committed = (await attempts.tries(id)).find(({ ending }) => ending === 'committed')
    const worker = committed === undefined ? undefined : await workers.find(committed.worker)
    if (worker !== undefined) names.add(worker.name)
  }
  return names.size === 0 ? null : [...names].join(', ')
}

/** Without the bytes of the lock its digest stands for its inputs. */
async function knownLock(blobs: BlobStore, { lock: sha256 }: VerificationReport): Promise<KnownLock | undefined> {
  if (sha256 === null) return undefined
  try {
    return { sha256, lock: (await lockBlob(blobs, sha256)).lock }
  } catch (error) {
    if (error instanceof Failure && (error.code === 'blob-missing' || error.code === 'blob-damaged')) return undefined
    throw error
  }
}
