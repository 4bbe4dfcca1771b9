import { intel, Quote } from '@phala/dcap-qvl'
import { z } from 'zod'
import { Failure } from '../../verifier/model/failure.ts'
import { parseStrictJson } from '../../verifier/model/strict-json.ts'
import { utf8Text } from '../../verifier/model/utf8-text.ts'
import { IntelCollateral } from './intel-collateral.ts'
import type { CollateralSource } from './intel-quotes.ts'

/** Fetches a URL, within bounds of its own. Headers by their names in small letters. */
export type FetchWhole = (
  url: string,
  signal: AbortSignal,
) => Promise<{ readonly headers: Readonly<Record<string, string | string[] | undefined>>; readonly bytes: Uint8Array }>

const UNREADABLE = 'what the PCCS answers is no collateral'
const hexText = z.string().regex(/^[0-9a-fA-F]+$/)
const TcbInfoAnswer = z.object({ tcbInfo: z.looseObject({}), signature: hexText })
const QeIdentityAnswer = z.object({ enclaveIdentity: z.looseObject({}), signature: hexText })

/** Asks a PCCS (Intel, Provisioning Certificate Caching Service, API v4) for what Intel publishes about the platform of a quote. */
export function pccsCollateral(base: URL, fetchWhole: FetchWhole): CollateralSource {
  const root = base.href.replace(/\/+$/, '').replace(/\/(?:sgx|tdx)\/certification\/v4$/, '')
  return async (quote, signal) => {
    const platform = platformOf(quote)
    if (platform === undefined) return 'the quote does not say which platform it is of'
    const ask = (path: string) => fetchWhole(`${root}/${path}`, signal)
    try {
      const [crl, rootCrl, tcb, qe] = await Promise.all([
        ask(`sgx/certification/v4/pckcrl?ca=${platform.ca}&encoding=der`),
        ask('sgx/certification/v4/rootcacrl'),
        ask(`tdx/certification/v4/tcb?fmspc=${platform.fmspc}`),
        ask('tdx/certification/v4/qe/identity?update=standard'),
      ])
      const { tcbInfo, signature: tcbSignature } = TcbInfoAnswer.parse(parseStrictJson(tcb.bytes))
      const { enclaveIdentity, signature: qeSignature } = QeIdentityAnswer.parse(parseStrictJson(qe.bytes))
      const read = IntelCollateral.safeParse({
        pck_crl_issuer_chain: chainOf(crl.headers, 'sgx-pck-crl-issuer-chain'),
        root_ca_crl: utf8Text(rootCrl.bytes)?.trim(),
        pck_crl: Buffer.from(crl.bytes).toString('hex'),
        tcb_info_issuer_chain: chainOf(tcb.headers, 'sgx-tcb-info-issuer-chain') ?? chainOf(tcb.headers, 'tcb-info-issuer-chain'),
        // Intel signs them as compact JSON, in the order in which they stand.
        tcb_info: JSON.stringify(tcbInfo),
        tcb_info_signature: tcbSignature,
        qe_identity_issuer_chain: chainOf(qe.headers, 'sgx-enclave-identity-issuer-chain'),
        qe_identity: JSON.stringify(enclaveIdentity),
        qe_identity_signature: qeSignature,
      })
      return read.success ? read.data : UNREADABLE
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof Failure && error.code.startsWith('download-')) return `the PCCS could not be asked (${error.code})`
      if (error instanceof Failure || error instanceof z.ZodError) return UNREADABLE
      throw error
    }
  }
}

function platformOf(quote: Uint8Array): { readonly fmspc: string; readonly ca: string } | undefined {
  try {
    const parsed = Quote.parse(quote)
    const fmspc = Buffer.from(intel.getFmspc(parsed)).toString('hex').toUpperCase()
    const ca = intel.getCa(parsed)
    return /^[0-9A-F]{12}$/.test(fmspc) && /^(?:processor|platform)$/.test(ca) ? { fmspc, ca } : undefined
  } catch {
    // The library's text repeats what is in the quote.
    return undefined
  }
}

function chainOf(headers: Readonly<Record<string, string | string[] | undefined>>, name: string): string | undefined {
  const value = headers[name]
  if (typeof value !== 'string') return undefined
  try {
    return decodeURIComponent(value)
  } catch {
    return undefined
  }
}
