import { createHash } from 'node:crypto'
import { ARTIFACT } from '../case-world.ts'
import { changed, entryOf, signatureOf } from '../change.ts'
import { type InteropCase, onlyOurs, refused } from '../interop-case.ts'

/** The document that holds it all. */
export const BUNDLES = {
  'bundle-not-json': {
    what: 'cut short',
    signed: 'certificate',
    ...refused('bundle', 'bundle-malformed'),
    make: async (world) => ({ bundle: JSON.stringify(await world.keyless()).slice(0, -2) }),
  },
  'bundle-key-twice': {
    what: 'the envelope twice: readers differ in which one they take',
    signed: 'certificate',
    ...refused('bundle', 'bundle-duplicate-key'),
    make: async (world) => {
      const text = JSON.stringify(await world.keyless())
      const other = await world.keyless({ statement: Buffer.from('{}') })
      return { bundle: text.replace('{', `{"dsseEnvelope":${JSON.stringify(other.dsseEnvelope)},`) }
    },
  },
  'bundle-both-contents': {
    what: 'a signature over bytes beside the envelope',
    signed: 'certificate',
    ...refused('bundle', 'bundle-malformed'),
    make: async (world) => {
      const good = await world.keyless()
      return { bundle: { ...good, messageSignature: messageSignature(signatureOf(good).sig) } }
    },
  },
  'bundle-unknown-field': {
    what: 'a field that no bundle has',
    signed: 'certificate',
    ...refused('bundle', 'bundle-malformed'),
    make: async (world) => ({ bundle: { ...(await world.keyless()), verdict: 'mismatch' } }),
  },
  'bundle-media-type': {
    what: 'the media type of something else',
    signed: 'certificate',
    ...refused('bundle', 'bundle-media-type'),
    make: async (world) => ({
      bundle: changed(await world.keyless(), (copy) => {
        copy.mediaType = 'application/vnd.example.bundle+json'
      }),
    }),
  },
  'bundle-version-0.1': {
    what: 'a bundle of version 0.1, without a proof that the entry is in the log',
    signed: 'certificate',
    ...onlyOurs('bundle', 'bundle-version-old', 'version 0.1 asks for a promise of the log and no proof'),
    make: async (world) => {
      const good = await world.keyless({ timestamps: 0 })
      const { verificationMaterial } = good
      if (!('certificate' in verificationMaterial)) throw new Error('the case has a certificate')
      const { certificate, ...witnesses } = verificationMaterial
      const material = { x509CertificateChain: { certificates: [certificate] }, ...witnesses }
      return {
        bundle: changed(
          { ...good, mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1', verificationMaterial: material },
          (copy) => {
            delete entryOf(copy).inclusionProof
          },
        ),
      }
    },
  },
  'bundle-base64-loose': {
    what: 'the certificate in the other alphabet of base64',
    signed: 'certificate',
    ...onlyOurs('bundle', 'bundle-malformed', 'protobuf takes several texts for the same bytes; ours takes one'),
    make: async (world) => ({
      bundle: changed(await world.keyless(), ({ verificationMaterial }) => {
        if (!('certificate' in verificationMaterial)) return
        const { certificate } = verificationMaterial
        certificate.rawBytes = certificate.rawBytes.replaceAll('+', '-').replaceAll('/', '_')
      }),
    }),
  },
  'bundle-of-bytes': {
    what: 'signs the artifact itself and no statement about it',
    signed: 'certificate',
    ...refused('envelope', 'bundle-without-statement'),
    make: async (world) => {
      const good = await world.keyless()
      return {
        bundle: {
          mediaType: good.mediaType,
          verificationMaterial: good.verificationMaterial,
          messageSignature: messageSignature(signatureOf(good).sig),
        },
      }
    },
  },
} as const satisfies Readonly<Record<string, InteropCase>>

function messageSignature(signature: string) {
  return { messageDigest: { algorithm: 'SHA2_256', digest: createHash('sha256').update(ARTIFACT).digest('base64') }, signature }
}
