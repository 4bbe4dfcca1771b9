import { Failure } from '../../../verifier/model/failure.ts'
import type { Verification } from '../store/records.ts'
import type { Reads } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import { CallbackBody } from './api-documents.ts'
import type { JobEnd, JobWork } from './job-runner.ts'
import { webhookHeaders } from './webhook-signature.ts'

export type CallbackPorts = ServicePorts & {
  readonly reads: Pick<Reads, 'verifications'>
  /** What callbacks to an owner are signed with. */
  readonly secret: (ownerId: string) => Promise<string>
  /** Where a verification and its report are, for whoever is told. */
  readonly links: (verification: Pick<Verification, 'id' | 'report'>) => CallbackBody['data']['links']
  /** Rejects with a `Failure`, `retryable` where another try may end otherwise. */
  readonly post: (
    callback: { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly body: string },
    signal: AbortSignal,
  ) => Promise<void>
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** Pauses after each failure, ms. Whoever cannot be told by then is not told: this queue alone gives up. */
export const CALLBACK_PAUSES = [MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR] as const

/** Tells whoever asked for it that a verification has its verdict (Standard Webhooks). */
export function callbackWork(ports: CallbackPorts): JobWork<'callback'> {
  return async ({ data }, signal) => {
    const { verificationId, failed = 0 } = data
    const held = await ports.unitOfWork.run(({ verifications }) => verifications.hold(verificationId))
    const verification = await ports.reads.verifications.read(verificationId)
    const url = held?.submission.callbackUrl ?? null
    if (verification?.state !== 'finished' || url === null) return { end: 'done' }
    const tries = failed + 1
    try {
      await ports.post({ url, ...(await signed(ports, verification)) }, signal)
      return { end: 'done', told: () => ports.events?.callbackSent?.({ verification: verificationId, tries }) }
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof Failure)) throw error
      const pause = error.retryable ? CALLBACK_PAUSES[failed] : undefined
      const nextAt = pause === undefined ? null : new Date(ports.now().getTime() + pause)
      const told = (): void => ports.events?.callbackFailed?.({ verification: verificationId, error, tries, nextAt })
      const end: JobEnd<'callback'> =
        nextAt === null ? { end: 'done', told } : { end: 'again', told, next: { at: nextAt, data: { verificationId, failed: tries } } }
      return end
    }
  }
}

async function signed(
  ports: CallbackPorts,
  verification: Verification,
): Promise<{ headers: Readonly<Record<string, string>>; body: string }> {
  const { id, ownerId, source, verdict, tier, report, finishedAt } = verification
  const body = JSON.stringify(
    CallbackBody.parse({
      type: 'verification.finished',
      timestamp: (finishedAt ?? ports.now()).toISOString(),
      data: { verification: id, owner: ownerId, source, verdict, tier, report, links: ports.links(verification) },
    }),
  )
  return { body, headers: webhookHeaders(await ports.secret(ownerId), { id: `msg_${id}`, at: ports.now(), body }) }
}
