import { z } from 'zod'
import { jsonOfFile } from '../../verifier/bytes/named-file.ts'
import { readSmallFile } from '../../verifier/bytes/small-file.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { shownName } from '../../verifier/model/shown-name.ts'

const text = z.string().max(1 << 20)
const hex = text.regex(/^(?:[0-9a-fA-F]{2})*$/)

/** What Intel publishes about a kind of platform, as Phala's tools write it: bytes as hex, the rest as it was signed. */
export const IntelCollateral = z.object({
  pck_crl_issuer_chain: text,
  root_ca_crl: hex,
  pck_crl: hex,
  tcb_info_issuer_chain: text,
  tcb_info: text,
  tcb_info_signature: hex,
  qe_identity_issuer_chain: text,
  qe_identity: text,
  qe_identity_signature: hex,
})
export type IntelCollateral = z.infer<typeof IntelCollateral>

/** Reads collateral from a file. Fails with `collateral-unread`, `collateral-malformed`, and as `parseStrictJson`. */
export async function readCollateralFile(file: string, signal: AbortSignal): Promise<IntelCollateral> {
  const read = await readSmallFile(file, { maxBytes: 4 << 20, signal })
  if (read.bytes === null)
    throw new Failure({
      code: 'collateral-unread',
      message: read.why === 'too-large' ? 'the file of collateral is too large' : `${shownName(file)} cannot be read`,
      hint: 'give the JSON of a collateral, or the URL of a PCCS that has it; docs/inspect.md says how',
      cause: read.cause,
    })
  const collateral = IntelCollateral.safeParse(jsonOfFile(read.bytes, file))
  if (collateral.success) return collateral.data
  throw new Failure({
    code: 'collateral-malformed',
    message: 'it is no collateral of a quote',
    hint: 'give it as Phala’s dcap-qvl writes it: tcb_info, qe_identity, their signatures and chains, and the revocation lists as hex',
  })
}
