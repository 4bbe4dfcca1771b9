import { Failure } from '../../../verifier/model/failure.ts'
import type { Reads } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import { type Caller, requireScope } from './caller.ts'
import { cancelVerification } from './end-verification.ts'
import { readVerification, type VerificationRead } from './read-verifications.ts'

/**
 * Cancels what the caller submitted; again changes nothing. Fails with `scope-missing`, `verification-unknown`, `verification-not-yours` or
 * `verification-over`.
 */
export async function cancelOwnVerification(
  ports: ServicePorts & { readonly reads: Reads },
  { caller, id }: { caller: Caller; id: string },
): Promise<VerificationRead> {
  requireScope(caller, 'cancel')
  const { owner } = await readVerification(ports, id)
  if (owner.id !== caller.owner.id)
    throw new Failure({
      code: 'verification-not-yours',
      message: 'the verification was submitted by somebody else',
      hint: 'only its owner can cancel it',
    })
  await cancelVerification(ports, id)
  return await readVerification(ports, id)
}
