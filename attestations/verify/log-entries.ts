import { createPublicKey } from 'node:crypto'
import type { TrustMaterial } from '@sigstore/verify'
import type { BundleShape, LogEntryShape } from './bundle-shape.ts'
import type { RejectionCode } from './rejections.ts'
import type { SignedTime } from './signed-times.ts'

/** What an entry must name as having signed: the certificate in DER, or for a bare key its SPKI. */
export type EntrySigner = { readonly certificate: Buffer | null; readonly spki: Buffer }

/**
 * What the library leaves open about log entries: duplicates, which key an entry is about, fields beside the proof that only copy it, and
 * since when and until when a log's key is trusted where no promise gives a time. Gives the first objection.
 */
export function objectionToEntries(o: {
  readonly shape: BundleShape
  readonly signer: EntrySigner
  readonly logs: TrustMaterial['tlogs']
  readonly times: readonly SignedTime[]
  readonly now: Date
}): RejectionCode | undefined {
  const entries = o.shape.verificationMaterial.tlogEntries ?? []
  const ids = entries.flatMap((entry) => [
    `body ${entry.logId.keyId} ${entry.canonicalizedBody}`,
    `index ${entry.logId.keyId} ${entry.logIndex ?? '0'}`,
  ])
  if (new Set(ids).size !== ids.length) return 'log-entry-duplicate'
  for (const entry of entries) {
    const objection = objectionToLogKey(entry, o) ?? objectionToSigner(entry, o.signer) ?? objectionToProof(entry)
    if (objection !== undefined) return objection
  }
  return undefined
}

/** How many different logs have an entry. */
export function countLogs(shape: BundleShape): number {
  return new Set((shape.verificationMaterial.tlogEntries ?? []).map((entry) => entry.logId.keyId)).size
}

function objectionToLogKey(
  entry: LogEntryShape,
  o: { readonly logs: TrustMaterial['tlogs']; readonly times: readonly SignedTime[]; readonly now: Date },
): RejectionCode | undefined {
  const id = Buffer.from(entry.logId.keyId, 'base64')
  const known = o.logs.filter((log) => log.logID.equals(id))
  if (known.length === 0) return 'log-unknown'
  const promised = entry.inclusionPromise !== undefined
  // Without a promise the entry itself has no time: the timestamps', and where there is none, today's.
  const times = promised ? [new Date(Number(entry.integratedTime ?? '0') * 1000)] : o.times.map(({ at }) => at)
  const asked = times.length === 0 ? [o.now] : times
  const valid = known.some(({ validFor }) => asked.every((at) => validFor.start <= at && at <= validFor.end))
  return valid ? undefined : 'log-key-not-valid'
}

function objectionToSigner(entry: LogEntryShape, signer: EntrySigner): RejectionCode | undefined {
  const named = verifiersOf(entry)
  if (named === undefined) return 'log-entry-mismatch'
  const same = named.every(
    ({ certificate, spki }) => certificate?.equals(signer.certificate ?? signer.spki) === true || spki?.equals(signer.spki) === true,
  )
  return named.length > 0 && same ? undefined : 'log-entry-of-another-key'
}

type Verifier = { readonly certificate?: Buffer; readonly spki?: Buffer }

/** Keys and certificates that an entry's body names, undefined where the body is of no kind that is known. */
function verifiersOf(entry: LogEntryShape): readonly Verifier[] | undefined {
  try {
    const body = JSON.parse(Buffer.from(entry.canonicalizedBody, 'base64').toString('utf8')) as Body
    switch (`${entry.kindVersion.kind} ${entry.kindVersion.version}`) {
      case 'dsse 0.0.1':
        return body.spec?.signatures?.map(({ verifier }) => ofPem(verifier))
      case 'intoto 0.0.2':
        return body.spec?.content?.envelope?.signatures?.map(({ publicKey }) => ofPem(publicKey))
      case 'hashedrekord 0.0.1':
        return [ofPem(body.spec?.signature?.publicKey?.content)]
      case 'hashedrekord 0.0.2':
        return [ofDer(body.spec?.hashedRekordV002?.signature?.verifier)]
      case 'dsse 0.0.2':
        return body.spec?.dsseV002?.signatures?.map(({ verifier }) => ofDer(verifier))
      default:
        return undefined
    }
  } catch {
    // A body that is not JSON, or not of the form that its kind says.
    return undefined
  }
}

type Der = { readonly x509Certificate?: { readonly rawBytes?: string }; readonly publicKey?: { readonly rawBytes?: string } }
/** Bodies of Rekor's entries, as far as they are looked at (rekor/pkg/types, rekor-tiles/api/proto). */
type Body = {
  readonly spec?: {
    readonly signatures?: readonly { readonly verifier?: string }[]
    readonly content?: { readonly envelope?: { readonly signatures?: readonly { readonly publicKey?: string }[] } }
    readonly signature?: { readonly publicKey?: { readonly content?: string } }
    readonly hashedRekordV002?: { readonly signature?: { readonly verifier?: Der } }
    readonly dsseV002?: { readonly signatures?: readonly { readonly verifier?: Der }[] }
  }
}

function ofDer(verifier: Der | undefined): Verifier {
  const { x509Certificate, publicKey } = verifier ?? {}
  if (x509Certificate?.rawBytes !== undefined) return { certificate: Buffer.from(x509Certificate.rawBytes, 'base64') }
  return publicKey?.rawBytes === undefined ? {} : { spki: Buffer.from(publicKey.rawBytes, 'base64') }
}

/** Rekor v1 keeps PEM, in base64. */
function ofPem(base64: string | undefined): Verifier {
  const pem = Buffer.from(base64 ?? '', 'base64').toString('latin1')
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return { certificate: Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64') }
  return { spki: createPublicKey(pem).export({ type: 'spki', format: 'der' }) }
}

/** What stands beside a proof and is not covered by it must at least be what the proof says. */
function objectionToProof(entry: LogEntryShape): RejectionCode | undefined {
  const proof = entry.inclusionProof
  if (proof === undefined) return entry.inclusionPromise === undefined ? 'log-proof-missing' : undefined
  // Only a promise signs the entry's own index; without one (Rekor v2) a log has one tree, and both indexes are one.
  if (entry.inclusionPromise === undefined && (entry.logIndex ?? '0') !== (proof.logIndex ?? '0')) return 'log-index-wrong'
  const [note = '', ...signatures] = proof.checkpoint.envelope.split('\n\n')
  const [, size, root] = note.split('\n')
  // C2SP signed note: an em dash, a name, base64. The library passes over lines of any other form.
  const lines = signatures.join('\n\n').split('\n')
  const wellFormed = lines.pop() === '' && lines.length > 0 && lines.every(isSignatureLine)
  return wellFormed && size === proof.treeSize && root === proof.rootHash ? undefined : 'log-proof-invalid'
}

function isSignatureLine(line: string): boolean {
  const base64 = /^\u2014 [^\s+]+ (\S+)$/.exec(line)?.[1]
  return base64 !== undefined && Buffer.from(base64, 'base64').toString('base64') === base64
}
