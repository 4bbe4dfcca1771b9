import { Failure } from '../../../verifier/model/failure.ts'
import type { SourceAccess } from '../../../verifier/source/source-ref.ts'
import { ARCHITECTURES, type Owner, type Submission } from '../store/records.ts'
import type { Reads } from '../store/store-ports.ts'
import { acceptVerification, type ServicePorts } from './accept-verification.ts'
import type { SubmissionRequest } from './api-documents.ts'
import { type Caller, requireScope } from './caller.ts'
import { checkedKey, digestOfRequest } from './idempotency-key.ts'
import { readVerification, type VerificationRead, verificationUnknown } from './read-verifications.ts'
import { checkCallback, checkClaims, checkSource } from './submission-rules.ts'

export type SubmissionRules = {
  /** What repositories and claimed bytes may be asked for. */
  readonly access: SourceAccess
  /** Verifications of one owner that are neither finished nor cancelled. */
  readonly openPerOwner: number
  /** How long an Idempotency-Key is remembered. */
  readonly idempotencyHours: number
}

export type SubmitPorts = ServicePorts & { readonly reads: Reads; readonly submissions: SubmissionRules }

export type Submitted = { readonly read: VerificationRead; readonly joined: boolean; readonly notice: string | null }

const NO_WORKER = 'no worker has asked for anything yet: this waits until one does'

/**
 * Takes a submission, or joins the same owner's same one. Fails with the codes of `checkSource`, `checkClaims`, `checkCallback` and
 * `acceptVerification`, with `scope-missing`, `idempotency-key-malformed`, or `worker-none-for-strangers`.
 */
export async function submitVerification(
  ports: SubmitPorts,
  { caller, request, idempotencyKey }: { caller: Caller; request: SubmissionRequest; idempotencyKey: string | null },
): Promise<Submitted> {
  const { access, openPerOwner, idempotencyHours } = ports.submissions
  requireScope(caller, 'submit')
  checkSource(request.source, caller, access)
  checkClaims(request.claims, access)
  checkCallback(request.callback)
  const idempotency =
    idempotencyKey === null
      ? null
      : {
          key: checkedKey(idempotencyKey),
          requestDigest: digestOfRequest(request),
          hours: idempotencyHours,
        }
  if (!caller.trusted && !(await anyForStrangers(ports.reads))) throw noneForStrangers()
  const submission = submissionOf(caller, request)
  const { verificationId, joined } = await acceptVerification(ports, { submission, idempotency, mostOpen: openPerOwner })
  const [read, alive] = await Promise.all([
    joined ? readVerification(ports, verificationId) : readNew(ports, { verificationId, owner: caller.owner }),
    ports.reads.workers.alive({ since: new Date(0), now: ports.now() }),
  ])
  return { read, joined, notice: alive.length === 0 ? NO_WORKER : null }
}

/** One that was accepted a moment ago: nothing was decided, so nothing is signed, or waits to be. */
async function readNew({ reads }: SubmitPorts, o: { verificationId: string; owner: Owner }): Promise<VerificationRead> {
  const verification = await reads.verifications.read(o.verificationId)
  if (verification === undefined) throw verificationUnknown()
  return { verification, owner: o.owner, attestations: [], waiting: [] }
}

/** Of which architecture it must be, the recipe says later. */
async function anyForStrangers({ workers }: Pick<Reads, 'workers'>): Promise<boolean> {
  const found = await Promise.all(ARCHITECTURES.map((architecture) => workers.anyFor(`${architecture}-stranger`)))
  return found.includes(true)
}

function submissionOf({ owner, trusted }: Caller, request: SubmissionRequest): Submission {
  const { source, claims, lock, inputs, builder, attempts, maxAge: maxAgeSeconds, callback: callbackUrl } = request
  const asked = { ownerId: owner.id, claims, lock, inputs, builder, attempts, maxAgeSeconds, trusted, callbackUrl }
  if (source.kind === 'git') return { ...asked, source, upload: null }
  const { sha256: upload, ...named } = source
  return { ...asked, source: named, upload }
}

function noneForStrangers(): Failure {
  return new Failure({
    code: 'worker-none-for-strangers',
    message: 'this service has no worker for sources that its operator does not vouch for',
    hint: 'ask its operator for a remote worker, which shares no machine with the service, or for an API token',
  })
}
