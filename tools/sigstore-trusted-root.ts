import { createHash, createPublicKey } from 'node:crypto'

export type SigstoreParts = {
  /** PEM, the one that signs first. */
  readonly fulcioChain: string
  readonly timestampChain: string
  /** PEM, P-256. */
  readonly ctKey: string
  /** PEM, Ed25519. */
  readonly rekorKey: string
  readonly since: Date
}

/** Names of the servers in docker-compose.yml. Rekor signs its checkpoints as this one. */
const REKOR = 'rekor'

/** Whom to trust of a private Sigstore: `trusted_root.json` (sigstore/protobuf-specs, TrustedRoot 0.1), of version 2 of Rekor. */
export function trustedRootOf({ fulcioChain, timestampChain, ctKey, rekorKey, since }: SigstoreParts): object {
  const validFor = { start: since.toISOString() }
  const [ct, rekor] = [spki(ctKey), spki(rekorKey)]
  const authority = (chain: string, commonName: string, uri: string): object => ({
    subject: { organization: 'bitwitness', commonName },
    uri,
    certChain: { certificates: certificatesOf(chain) },
    validFor,
  })
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [
      {
        baseUrl: `https://${REKOR}`,
        hashAlgorithm: 'SHA2_256',
        publicKey: { rawBytes: rekor.toString('base64'), keyDetails: 'PKIX_ED25519', validFor },
        // The key id of a signed note (C2SP signed-note), whole: name, type, key.
        logId: { keyId: digest(Buffer.from(`${REKOR}\n`), Buffer.from([1]), rekor.subarray(-32)) },
      },
    ],
    certificateAuthorities: [authority(fulcioChain, 'fulcio', 'http://fulcio:5555')],
    ctlogs: [
      {
        baseUrl: 'http://certificate-log:6962',
        hashAlgorithm: 'SHA2_256',
        publicKey: { rawBytes: ct.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
        logId: { keyId: digest(ct) },
      },
    ],
    timestampAuthorities: [authority(timestampChain, 'timestamp', 'http://timestamps:3000/api/v1/timestamp')],
  }
}

function spki(pem: string): Buffer {
  return createPublicKey(pem).export({ type: 'spki', format: 'der' })
}

function digest(...parts: readonly Buffer[]): string {
  return createHash('sha256').update(Buffer.concat(parts)).digest('base64')
}

function certificatesOf(chain: string): { rawBytes: string }[] {
  return [...chain.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g)].map((match) => ({
    rawBytes: (match[1] ?? '').replaceAll(/\s/g, ''),
  }))
}
