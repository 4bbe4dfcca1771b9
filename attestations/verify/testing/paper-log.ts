import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { LogTree } from '../../sign/testing/log-tree.ts'
import type { LogEntryShape } from '../bundle-shape.ts'

/** What an entry is about. */
export type Logged = {
  readonly payload: Buffer
  readonly pae: Buffer
  readonly signature: Buffer
  readonly certificate: Buffer | null
  readonly key: KeyObject
}

/** A transparency log on paper: real trees, proofs, checkpoints and promises, and no server. */
export interface PaperLog {
  /** As trusted_root.json has it. */
  readonly trusted: Readonly<Record<string, unknown>>
  append(what: Logged, at: Date): LogEntryShape
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' })
const VALID_FOR = { start: '2020-01-01T00:00:00Z' }

/** Logs `dsse` 0.0.1 with a promise and a proof, as Rekor v1 does. */
export function paperRekorV1(): PaperLog {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const id = sha256(spkiOf(keys.publicKey))
  const tree = primed()
  return {
    trusted: {
      baseUrl: 'https://rekor1.paper',
      hashAlgorithm: 'SHA2_256',
      publicKey: { rawBytes: base64(spkiOf(keys.publicKey)), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor: VALID_FOR },
      logId: { keyId: base64(id) },
    },
    append({ payload, signature, certificate, key }, at) {
      const verifier = base64(Buffer.from(certificate === null ? key.export({ type: 'spki', format: 'pem' }) : pem(certificate)))
      const spec = {
        envelopeHash: { algorithm: 'sha256', value: sha256(Buffer.concat([payload, signature])).toString('hex') },
        payloadHash: { algorithm: 'sha256', value: sha256(payload).toString('hex') },
        signatures: [{ signature: base64(signature), verifier }],
      }
      const body = Buffer.from(JSON.stringify({ apiVersion: '0.0.1', kind: 'dsse', spec }))
      const index = tree.append(body)
      const integratedTime = Math.floor(at.getTime() / 1000)
      // Keys in the order of canonical JSON (RFC 8785).
      const promised = JSON.stringify({ body: base64(body), integratedTime, logID: id.toString('hex'), logIndex: index })
      return {
        logIndex: String(index),
        logId: { keyId: base64(id) },
        kindVersion: { kind: 'dsse', version: '0.0.1' },
        integratedTime: String(integratedTime),
        inclusionPromise: { signedEntryTimestamp: base64(sign('sha256', Buffer.from(promised), keys.privateKey)) },
        inclusionProof: proof(tree, index, 'rekor1.paper - 1', (note) => ({
          name: 'rekor1.paper',
          signed: Buffer.concat([id.subarray(0, 4), sign('sha256', note, keys.privateKey)]),
        })),
        canonicalizedBody: base64(body),
      }
    },
  }
}

/** Logs `hashedrekord` 0.0.2 over the pre-authentication encoding, with a proof and no time, as Rekor v2 does. */
export function paperRekorV2(): PaperLog {
  const keys = generateKeyPairSync('ed25519')
  const origin = 'rekor2.paper'
  // C2SP signed note: the name, the kind of key and the key, hashed.
  const id = sha256(Buffer.concat([Buffer.from(`${origin}\n`), Buffer.of(1), spkiOf(keys.publicKey).subarray(-32)]))
  const tree = primed()
  return {
    trusted: {
      baseUrl: `https://${origin}`,
      hashAlgorithm: 'SHA2_256',
      publicKey: { rawBytes: base64(spkiOf(keys.publicKey)), keyDetails: 'PKIX_ED25519', validFor: VALID_FOR },
      logId: { keyId: base64(id) },
    },
    append({ pae, signature, certificate, key }) {
      const keyDetails = 'PKIX_ECDSA_P256_SHA_256'
      const verifier =
        certificate === null
          ? { keyDetails, publicKey: { rawBytes: base64(spkiOf(key)) } }
          : { keyDetails, x509Certificate: { rawBytes: base64(certificate) } }
      const spec = {
        hashedRekordV002: {
          data: { algorithm: 'SHA2_256', digest: base64(sha256(pae)) },
          signature: { content: base64(signature), verifier },
        },
      }
      const body = Buffer.from(JSON.stringify({ apiVersion: '0.0.2', kind: 'hashedrekord', spec }))
      const index = tree.append(body)
      return {
        logIndex: String(index),
        logId: { keyId: base64(id) },
        kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
        inclusionProof: proof(tree, index, origin, (note) => ({
          name: origin,
          signed: Buffer.concat([id.subarray(0, 4), sign(null, note, keys.privateKey)]),
        })),
        canonicalizedBody: base64(body),
      }
    },
  }
}

/** Older verifiers take no entry with index 0, and a tree of one has no hashes to tamper with. */
function primed(): LogTree {
  const tree = new LogTree()
  for (const leaf of ['a', 'b', 'c']) tree.append(Buffer.from(leaf))
  return tree
}

function proof(
  tree: LogTree,
  index: number,
  origin: string,
  signNote: (note: Buffer) => { readonly name: string; readonly signed: Buffer },
): NonNullable<LogEntryShape['inclusionProof']> {
  const rootHash = base64(tree.root())
  const note = `${origin}\n${tree.size}\n${rootHash}\n`
  const { name, signed } = signNote(Buffer.from(note))
  return {
    logIndex: String(index),
    rootHash,
    treeSize: String(tree.size),
    hashes: tree.proof(index).map(base64),
    checkpoint: { envelope: `${note}\n\u2014 ${name} ${base64(signed)}\n` },
  }
}

export function pem(der: Buffer): string {
  const lines = base64(der).match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
