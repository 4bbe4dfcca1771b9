import type { Decision } from '../gate/decision.ts'
import type { Evidence } from './evidence.ts'
import type { InspectionLine } from './inspection.ts'
import { fail, info, lineOf, pass, type Said, skip } from './lines.ts'

/** Whether hardware vouches for the guest. */
export function hardwareLines(
  evidence: Evidence,
  o: { readonly simulated: boolean; readonly decision: Decision | null },
): readonly InspectionLine[] {
  return [
    lineOf('quote-signature', signed(evidence, o.simulated)),
    lineOf('tcb-status', upToDate(evidence, o.decision)),
    lineOf('td-closed', closed(evidence)),
  ]
}

function signed({ asked, quote, signature }: Evidence, simulated: boolean): Said {
  const { attestation } = asked
  if (attestation.value === null) return attestation.why === 'malformed' ? fail(attestation.reason) : skip(attestation.reason)
  if (attestation.value.quote === null) return skip('the guest shows no quote of TDX: it runs on another platform')
  if (quote === null) return fail('what the guest shows is no quote of a TDX guest')
  if (signature.result === 'refused') return fail(signature.reason)
  if (signature.result === 'unable') return skip(signature.reason)
  return simulated ? pass('a key signed it that stands in for Intel’s') : pass('the signature leads to Intel’s root')
}

function upToDate({ signature }: Evidence, decision: Decision | null): Said {
  if (signature.result !== 'valid') return skip('the quote’s signature was not verified')
  const { status, advisories } = signature.tcb
  const detail = [status, ...advisories].join(', ')
  const taken = decision?.rules.some(({ rule, result }) => rule === 'tcb' && result === 'pass') === true
  if (taken) return pass('the policy takes this state of the platform', detail)
  if (status === 'UpToDate') return pass('Intel lists this state of the platform as up to date', detail)
  return info('Intel knows better of this state of the platform, and no policy takes it', detail)
}

function closed({ quote }: Evidence): Said {
  if (quote === null) return skip('there is no quote')
  if (quote.debug) return fail('the guest runs in debug mode: its host reads and writes its memory')
  return quote.plain
    ? pass('the guest runs without debug mode, on a module that Intel signed')
    : fail('the TDX module is another’s, or a service guest may change this one')
}
