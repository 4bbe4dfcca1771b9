import { verificationReport } from '../../../verifier/attempt/report.ts'
import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import type { HeldVerification, Reads } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import type { StoredDecision } from './end-verification.ts'
import type { PreparedSource } from './prepare-source.ts'
import { storedDecision } from './stored-decision.ts'

/** The verdict on a recipe that a rule refuses, with its report: there is no attempt in it. */
export async function refusedVerdict(
  ports: Pick<ServicePorts, 'now' | 'events'> & {
    readonly blobs: BlobStore
    readonly reads: Pick<Reads, 'verifications'>
    readonly version: string
  },
  o: { readonly verificationId: string; readonly held: HeldVerification; readonly source: PreparedSource },
): Promise<StoredDecision> {
  const { pinned, reading, architecture } = o.source.prepared
  const report = verificationReport(await ports.reads.verifications.claimsOfUnbuilt(o.verificationId), {
    source: pinned,
    reading,
    architecture,
    builder: null,
    attempts: { results: [] },
    comparisons: [],
    explained: { findings: [], state: 'complete', reason: null, documents: [] },
    startedAt: o.held.createdAt.toISOString(),
    finishedAt: ports.now().toISOString(),
    version: ports.version,
  })
  return await storedDecision(ports.blobs, report, (error) => ports.events?.trouble?.({ where: 'decision', error }))
}
