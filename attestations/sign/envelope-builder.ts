import { type Bundle, type BundleWithDsseEnvelope, bundleToJSON } from '@sigstore/bundle'
import { type Artifact, DSSEBundleBuilder, type Signature, type Signer, type Witness } from '@sigstore/sign'
import { PAYLOAD_TYPE } from '../statement/predicate-types.ts'

/**
 * Go's verifiers compare a DSSE keyid that is not blank with the key's SSH fingerprint and pass over the signature; the hint belongs into
 * `publicKey.hint` alone.
 */
class BlankKeyIdBuilder extends DSSEBundleBuilder {
  protected override async package(artifact: Artifact, signature: Signature): Promise<BundleWithDsseEnvelope> {
    const bundle = await super.package(artifact, signature)
    for (const each of bundle.content.dsseEnvelope.signatures) each.keyid = ''
    return bundle
  }
}

/** Signs a statement, asks the witnesses one after the other, and gives the JSON text of the bundle, v0.3. */
export async function buildBundle(statement: Uint8Array, signer: Signer, witnesses: readonly Witness[]): Promise<string> {
  const builder = new BlankKeyIdBuilder({ signer, witnesses: [inTurn(witnesses)], certificateChain: false })
  const bundle: Bundle = await builder.create({ data: Buffer.from(statement), type: PAYLOAD_TYPE })
  return JSON.stringify(bundleToJSON(bundle))
}

/** The library asks all at once, and leaves the others running where one fails. In turn, what comes last is asked only if all went well. */
function inTurn(witnesses: readonly Witness[]): Witness {
  return {
    async testify(content, publicKey) {
      const material = { tlogEntries: [], rfc3161Timestamps: [] } as Required<Awaited<ReturnType<Witness['testify']>>>
      for (const witness of witnesses) {
        const more = await witness.testify(content, publicKey)
        material.tlogEntries.push(...(more.tlogEntries ?? []))
        material.rfc3161Timestamps.push(...(more.rfc3161Timestamps ?? []))
      }
      return material
    },
  }
}
