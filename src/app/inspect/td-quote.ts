/** What a TDX quote says that its signature covers. Hex in small letters. */
export type TdQuote = {
  readonly version: 4 | 5
  /** Measurement of the firmware that the guest began with. */
  readonly mrtd: string
  readonly rtmrs: readonly [string, string, string, string]
  readonly mrConfigId: string
  /** 64 bytes that who asked for the quote put in. */
  readonly reportData: string
  /** Whether the host can look into the guest: the first attributes, of which every one makes it untrusted. */
  readonly debug: boolean
  /** Whether Intel signed the TDX module, and no service guest is bound to the guest: dstack's own verifier asks for both. */
  readonly plain: boolean
}

/** Quotes are 5 KB long, most of it certificates. */
export const MOST_QUOTE_BYTES = 64 * 1024

const HEADER = 48
const TDX = 0x81
/** ECDSA over P-256. */
const KEY_TYPE = 2
/** Of the body's parts, from its beginning (Intel, DCAP quote library, `sgx_report2_body_t`), and of what version 1.5 adds at its end. */
const AT = { signerSeam: 64, attributes: 120, mrtd: 136, configId: 184, rtmrs: 328, reportData: 520, serviceTd: 600 }
const [BODY_10, BODY_15] = [584, 648]
const REGISTER = 48

/** Reads a quote of version 4, or 5 with the body of a guest; undefined where it is none. Whether it is signed is not looked at. A pure function. */
export function readTdQuote(bytes: Uint8Array): TdQuote | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.length < HEADER + BODY_10 || view.length > MOST_QUOTE_BYTES) return undefined
  const version = view.readUInt16LE(0)
  if (view.readUInt16LE(2) !== KEY_TYPE || view.readUInt32LE(4) !== TDX) return undefined
  if (version === 4) return read(version, view.subarray(HEADER, HEADER + BODY_10))
  if (version !== 5) return undefined
  const size = bodySize(view.readUInt16LE(HEADER))
  const body = view.subarray(HEADER + 6, HEADER + 6 + (size ?? 0))
  return size === undefined || view.readUInt32LE(HEADER + 2) !== size || body.length !== size ? undefined : read(version, body)
}

function bodySize(type: number): number | undefined {
  return type === 2 ? BODY_10 : type === 3 ? BODY_15 : undefined
}

function read(version: 4 | 5, body: Buffer): TdQuote {
  const hex = (at: number, length: number): string => body.toString('hex', at, at + length)
  const rtmr = (index: number): string => hex(AT.rtmrs + index * REGISTER, REGISTER)
  const isZero = (at: number): boolean => at >= body.length || body.subarray(at, at + REGISTER).every((byte) => byte === 0)
  return {
    version,
    mrtd: hex(AT.mrtd, REGISTER),
    rtmrs: [rtmr(0), rtmr(1), rtmr(2), rtmr(3)],
    mrConfigId: hex(AT.configId, REGISTER),
    reportData: hex(AT.reportData, 64),
    debug: body[AT.attributes] !== 0,
    plain: isZero(AT.signerSeam) && isZero(AT.serviceTd),
  }
}
