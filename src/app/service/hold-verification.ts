import { Failure } from '../../../verifier/model/failure.ts'
import type { HeldVerification, Unit } from '../store/store-ports.ts'

/** Keeps a verification from being changed by anybody else until the transaction ends. Fails with `verification-unknown`. */
export async function holdVerification(unit: Unit, verificationId: string): Promise<HeldVerification> {
  const held = await unit.verifications.hold(verificationId)
  if (held !== undefined) return held
  throw new Failure({ code: 'verification-unknown', message: 'there is no such verification', hint: 'check its id' })
}
