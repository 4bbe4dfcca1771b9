import { createHash, generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { LogTree } from './log-tree.ts'
import type { Reply } from './mock-reply.ts'

const Bytes = z.base64().transform((text) => Buffer.from(text, 'base64'))
const Request = z.strictObject({
  hashedRekordRequestV002: z.strictObject({
    digest: Bytes,
    signature: z.strictObject({
      content: Bytes,
      verifier: z.strictObject({
        x509Certificate: z.strictObject({ rawBytes: Bytes }),
        keyDetails: z.literal('PKIX_ECDSA_P256_SHA_256'),
      }),
    }),
  }),
})

/**
 * A log that answers as Rekor v2 does: it takes `hashedrekord` 0.0.2 and nothing else, appends to a growing tree, and gives an inclusion
 * proof under a checkpoint, which is a C2SP signed note with an Ed25519 key. One thing it does not do as the real one does: Node verifies no
 * signature over a digest whose message it does not know, so that it looks only whether it is one in DER.
 */
export class FakeRekorV2 {
  readonly #keys = generateKeyPairSync('ed25519')
  readonly #tree = new LogTree()
  readonly #origin: string
  readonly #known = new Map<string, string>()

  constructor(origin: string) {
    this.#origin = origin
    // Verifiers of the day before yesterday do not take the entry with index 0.
    this.#tree.append(Buffer.from('throw-away'))
  }

  /** sha256 of the note's name, its key type and its key, untruncated. */
  get #keyId(): Buffer {
    return createHash('sha256').update(`${this.#origin}\n`).update(Buffer.of(1)).update(this.#spki.subarray(-32)).digest()
  }

  get #spki(): Buffer {
    return this.#keys.publicKey.export({ type: 'spki', format: 'der' })
  }

  /** As trusted_root.json has it. */
  trustedLog(validFor: { start: string }): object {
    return {
      baseUrl: `https://${this.#origin}`,
      hashAlgorithm: 'SHA2_256',
      publicKey: { rawBytes: this.#spki.toString('base64'), keyDetails: 'PKIX_ED25519', validFor },
      logId: { keyId: this.#keyId.toString('base64') },
    }
  }

  create(body: string): Reply {
    const parsed = Request.safeParse(JSON.parse(body))
    if (!parsed.success) return { status: 400, body: '{"code":3,"message":"invalid type, must be hashedrekord"}', type: 'application/json' }
    const { digest, signature } = parsed.data.hashedRekordRequestV002
    const { x509Certificate, keyDetails } = signature.verifier
    const key = new X509Certificate(x509Certificate.rawBytes).publicKey
    const der = signature.content[0] === 0x30
    if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1' || digest.length !== 32 || !der) return { status: 400, body: 'invalid' }
    const verifier = { keyDetails, x509Certificate: { rawBytes: x509Certificate.rawBytes.toString('base64') } }
    // Keys in the order of canonical JSON.
    const entry = {
      apiVersion: '0.0.2',
      kind: 'hashedrekord',
      spec: {
        hashedRekordV002: {
          data: { algorithm: 'SHA2_256', digest: digest.toString('base64') },
          signature: { content: signature.content.toString('base64'), verifier },
        },
      },
    }
    const canonicalizedBody = JSON.stringify(entry)
    const known = this.#known.get(canonicalizedBody)
    if (known !== undefined) return { status: 409, type: 'application/json', body: alreadyThere(known) }
    const made = this.#append(Buffer.from(canonicalizedBody))
    this.#known.set(canonicalizedBody, made.logIndex)
    return { status: 201, type: 'application/json', body: JSON.stringify(made) }
  }

  #append(canonicalizedBody: Buffer) {
    const logIndex = String(this.#tree.append(canonicalizedBody))
    const root = this.#tree.root().toString('base64')
    const note = `${this.#origin}\n${this.#tree.size}\n${root}\n`
    const signed = Buffer.concat([this.#keyId.subarray(0, 4), sign(null, Buffer.from(note), this.#keys.privateKey)])
    return {
      logIndex,
      logId: { keyId: this.#keyId.toString('base64') },
      kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
      integratedTime: '0',
      inclusionPromise: null,
      inclusionProof: {
        logIndex,
        rootHash: root,
        treeSize: String(this.#tree.size),
        hashes: this.#tree.proof(Number(logIndex)).map((hash) => hash.toString('base64')),
        checkpoint: { envelope: `${note}\n\u2014 ${this.#origin} ${signed.toString('base64')}\n` },
      },
      canonicalizedBody: canonicalizedBody.toString('base64'),
    }
  }
}

/** As rekor-tiles 2.3 says it. Where the entry is it says, and gives it to nobody again. */
function alreadyThere(index: string): string {
  return `{"code":6, "message":"an equivalent entry already exists in the transparency log with index ${index}", "details":[]}`
}
