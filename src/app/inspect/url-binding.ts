import { createHash } from 'node:crypto'
import type { GatewayUrl } from '../deploy/gateway-url.ts'
import { type Evidence, factsOf } from './evidence.ts'
import type { QuoteVerifier } from './inspect-ports.ts'
import { fail, ifBelieved, info, pass, type Said, skip } from './lines.ts'
import { readTdQuote, type TdQuote } from './td-quote.ts'

/**
 * Whether the URL leads to the guest that the evidence is of: a quote of that guest names the key that the URL's own TLS connection was made with
 * (dstack, `QuoteContentType::RaTlsCert`). Where a gateway ends TLS there is no such key, whatever the evidence says.
 */
export async function urlBinding(
  evidence: Evidence,
  o: { readonly url: GatewayUrl; readonly quotes: QuoteVerifier; readonly now: Date; readonly signal: AbortSignal },
): Promise<Said> {
  const certificate = evidence.asked.root.certificate
  if (certificate === null) return skip('no TLS connection was made to the URL')
  if (certificate.quote === 'unread') return skip('its certificate carries evidence in a form that is not read here')
  if (certificate.quote === null) {
    if (o.url.way !== 'tls') return info('TLS ends at the gateway: that it leads to this guest is the gateway’s word')
    return certificate.trusted
      ? skip('TLS ends in the guest, and its certificate carries no quote')
      : fail('its certificate is of no authority that is trusted here, and carries no quote')
  }
  const quote = readTdQuote(certificate.quote)
  if (quote === undefined) return fail('what its certificate carries is no quote of a TDX guest')
  if (quote.reportData !== reportDataOf(certificate.publicKey)) return fail('the quote in its certificate is about another key')
  const signature = await o.quotes.check(certificate.quote, o.now, o.signal)
  if (signature.result === 'refused') return fail(`of the quote in its certificate: ${signature.reason}`)
  if (signature.result === 'unable') return skip(`of the quote in its certificate: ${signature.reason}`)
  if (evidence.quote === null || factsOf(evidence) === null) return skip('there is no other evidence of the guest to hold it against')
  return isSameGuest(evidence, quote)
    ? ifBelieved(pass('a quote of this guest names the key of the connection'), evidence.believed)
    : fail('the quote in its certificate is of another guest')
}

/** `hash(tag:content)` (dstack-attest, attestation.rs, `to_report_data`). */
export function reportDataOf(publicKey: Uint8Array): string {
  return createHash('sha512').update('ratls-cert:').update(publicKey).digest('hex')
}

/** By everything that it measured; an app may have extended RTMR3 since it got its certificate. */
function isSameGuest(evidence: Evidence, other: TdQuote): boolean {
  const { quote, replay } = evidence
  const facts = factsOf(evidence)
  if (quote === null || facts === null || replay === null || typeof replay === 'string') return false
  const isKnown = replay.steps.slice(facts.events - 1).includes(other.rtmrs[3])
  const same = quote.mrtd === other.mrtd && quote.mrConfigId === other.mrConfigId && other.debug === quote.debug && other.plain
  return isKnown && same && [0, 1, 2].every((index) => quote.rtmrs[index] === other.rtmrs[index])
}
