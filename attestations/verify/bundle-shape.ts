import { z } from 'zod'
import { isSoonParsed } from '../../verifier/bytes/asn1-steps.ts'
import { BUNDLE_TYPE } from '../statement/predicate-types.ts'

/**
 * JSON of a Sigstore bundle (protobuf-specs, sigstore_bundle.proto), as narrow as makers write it. Protobuf's own mapping lets a reader
 * take either of two oneof members, snake_case names beside camelCase, other alphabets of base64 and unknown fields: wherever two readers
 * can disagree, this refuses.
 */
export const BUNDLE_MEDIA_TYPE = {
  v01: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
  v02: 'application/vnd.dev.sigstore.bundle+json;version=0.2',
  v03Legacy: 'application/vnd.dev.sigstore.bundle+json;version=0.3',
  v03: BUNDLE_TYPE,
} as const

/** Standard alphabet, padded, canonical: one text for each sequence of bytes. */
const Base64 = z.string().refine((text) => Buffer.from(text, 'base64').toString('base64') === text)

/**
 * So many bytes at most: several times what the largest has. The parsers behind are slow by the byte, some by its square, and nothing can
 * be interrupted meanwhile.
 */
const upTo = (bytes: number): typeof Base64 => Base64.min(4).max(Math.ceil(bytes / 3) * 4)
const asn1UpTo = (bytes: number): typeof Base64 => upTo(bytes).refine((text) => isSoonParsed(Buffer.from(text, 'base64')))
const Certificate = asn1UpTo(32 << 10)
const Timestamp = asn1UpTo(16 << 10)
const Signature = upTo(16 << 10)
const Digest = upTo(64)
const EntryBody = upTo(1 << 20)

/** Zero is left out by some writers, and written by others. */
const Int64 = z.union([
  z.string().regex(/^(0|[1-9]\d{0,17})$/),
  z
    .int()
    .nonnegative()
    .transform((number) => String(number)),
])

const LogEntry = z.strictObject({
  logIndex: Int64.optional(),
  logId: z.strictObject({ keyId: Digest }),
  kindVersion: z.strictObject({ kind: z.string().max(64), version: z.string().max(64) }),
  integratedTime: Int64.optional(),
  inclusionPromise: z.strictObject({ signedEntryTimestamp: Signature }).optional(),
  inclusionProof: z
    .strictObject({
      logIndex: Int64.optional(),
      rootHash: Digest,
      treeSize: Int64,
      hashes: z.array(Digest).max(64).optional(),
      checkpoint: z.strictObject({ envelope: z.string().min(1).max(65_536) }),
    })
    .optional(),
  canonicalizedBody: EntryBody,
})
export type LogEntryShape = z.infer<typeof LogEntry>

const certificate = z.strictObject({ rawBytes: Certificate })
const witnesses = {
  tlogEntries: z.array(LogEntry).max(32).optional(),
  timestampVerificationData: z
    .strictObject({
      rfc3161Timestamps: z
        .array(z.strictObject({ signedTimestamp: Timestamp }))
        .max(8)
        .optional(),
    })
    .optional(),
}

/** Strict objects of one member each: of a oneof exactly one may be there. */
const VerificationMaterial = z.union([
  z.strictObject({ certificate, ...witnesses }),
  z.strictObject({ x509CertificateChain: z.strictObject({ certificates: z.array(certificate).min(1).max(8) }), ...witnesses }),
  z.strictObject({ publicKey: z.strictObject({ hint: z.string().max(1024).optional() }), ...witnesses }),
])

const DsseEnvelope = z.strictObject({
  payload: Base64,
  payloadType: z.string().max(1024),
  // How many there must be is a check of its own, with a code of its own.
  signatures: z.array(z.strictObject({ sig: z.union([z.literal(''), Signature]), keyid: z.string().max(1024).optional() })).max(64),
})
export type DsseEnvelopeShape = z.infer<typeof DsseEnvelope>

const MessageSignature = z.strictObject({
  messageDigest: z.strictObject({ algorithm: z.string().max(64), digest: Digest }),
  signature: Signature,
})

const head = { mediaType: z.string(), verificationMaterial: VerificationMaterial }
export const BundleShape = z.union([
  z.strictObject({ ...head, dsseEnvelope: DsseEnvelope }),
  z.strictObject({ ...head, messageSignature: MessageSignature }),
])
export type BundleShape = z.infer<typeof BundleShape>
