import { createHash } from 'node:crypto'
import { Quote, utils, verify } from '@phala/dcap-qvl'
import type { QuoteCheck, QuoteVerifier } from '../app/inspect/inspect-ports.ts'
import type { IntelCollateral } from './intel-collateral.ts'
import { revocationOf } from './intel-revocation.ts'
import { withModule } from './tdx-module.ts'

/** What Intel publishes about the platform of a quote; a text says why there is none. */
export type CollateralSource = (quote: Uint8Array, signal: AbortSignal) => Promise<IntelCollateral | string>

/** What the library says of collateral, and not of the quote. Everything else that it says is held against the quote. */
const OF_COLLATERAL: readonly (readonly [said: RegExp, reason: string])[] = [
  [/^(?:TCBInfo|QE Identity) expired$/, 'the collateral has expired at this time: it says nothing of the platform any more'],
  [/^(?:TCBInfo|QE Identity) issue date is in the future$/, 'the collateral is of a later time than this clock’s'],
  [/^Fmspc mismatch$/, 'the collateral is of another kind of platform'],
  [/^Failed to decode (?:TcbInfo|QeIdentity)$/, 'the collateral cannot be read'],
  [/^Certificate chain is too short for /, 'the collateral cannot be read'],
  [/^Signature is invalid for (?:tcb_info|qe_identity)$/, 'Intel did not sign the collateral'],
]

/** Holds quotes against Intel's root, by Phala's library. No collateral, no answer: a signature without it says nothing of what is revoked. */
export function intelQuotes(collateralOf: CollateralSource): QuoteVerifier {
  return {
    simulated: false,
    async check(quote, now, signal) {
      const collateral = await collateralOf(quote, signal)
      return typeof collateral === 'string' ? { result: 'unable', reason: collateral } : checked(quote, collateral, now)
    },
  }
}

function checked(quote: Uint8Array, collateral: IntelCollateral, now: Date): QuoteCheck {
  try {
    const { report, status, advisory_ids: advisories } = verify(quote, collateral, Math.floor(now.getTime() / 1000))
    const revocation = revocationOf(quote, collateral, now)
    if (revocation.result !== 'good') return revocation
    const module = report.asTd10()
    const tcb = module === null ? undefined : withModule({ status, advisories }, module, collateral.tcb_info)
    if (tcb === undefined) return { result: 'refused', reason: 'Intel lists no TDX module like the one that it names, or revoked it' }
    return {
      result: 'valid',
      tcb: { status: tcb.status, advisories: tcb.advisories.filter(isAdvisory).toSorted() },
      deviceId: deviceOf(quote),
    }
  } catch (error) {
    const said = error instanceof Error ? error.message : ''
    const known = OF_COLLATERAL.find(([pattern]) => pattern.test(said))
    return known === undefined
      ? {
          result: 'refused',
          reason: 'it does not hold before Intel’s root: its signature, its certificates, or a platform that Intel revoked',
        }
      : { result: 'unable', reason: known[1] }
  }
}

function isAdvisory(id: string): boolean {
  return /^[A-Za-z0-9-]{1,64}$/.test(id)
}

/** Identifier and type of the platform's id, of 16 bytes, in Intel's extension of its certificate (1.2.840.113741.1.13.1.1, an OCTET STRING). */
const PPID = Buffer.from('060a2a864886f84d010d01010410', 'hex')

/**
 * The machine, as a KMS of dstack's names it (dstack-attest, attestation.rs). The library looks for the id among other things that it does not find in
 * every certificate. Intel's signature was verified before.
 */
function deviceOf(quote: Uint8Array): string | null {
  const [certificate] = utils.extractCerts(Buffer.from(Quote.parse(quote).rawCertChain()))
  const extension: unknown = certificate === undefined ? undefined : utils.getIntelExtension(certificate)
  if (!Buffer.isBuffer(extension)) return null
  const at = extension.indexOf(PPID)
  const id = extension.subarray(at + PPID.length, at + PPID.length + 16)
  return at === -1 || id.length !== 16 ? null : createHash('sha256').update(id).digest('hex')
}
