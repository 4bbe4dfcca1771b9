import { pemOf } from '../case-world.ts'
import { changed, flipped } from '../change.ts'
import { type InteropCase, onlyOurs, refused } from '../interop-case.ts'
import { pair, SIGNER } from '../paper-sigstore.ts'

const named = (subjectAlternativeName: string) => ({ signer: { kind: 'certificate', ...SIGNER, subjectAlternativeName } }) as const

/** Who signed: names, issuers, keys, certificates. */
export const SIGNERS = {
  'name-other': {
    what: 'somebody else of the same authority signed',
    signed: 'certificate',
    ...refused('signer', 'identity-mismatch'),
    make: async (world) => ({
      bundle: await world.keyless({ with: { certificate: { subjectAlternativeName: 'https://mallory.example/rebuilders/alpha' } } }),
    }),
  },
  'name-longer': {
    what: 'the name of the signer only begins with the wanted one',
    signed: 'certificate',
    ...refused('signer', 'identity-mismatch'),
    make: async (world) => ({ bundle: await world.keyless(), ...named('https://witness.example/rebuilders/alph') }),
  },
  'name-shorter': {
    what: 'the name of the signer is only the end of the wanted one',
    signed: 'certificate',
    ...refused('signer', 'identity-mismatch'),
    make: async (world) => ({
      bundle: await world.keyless({ with: { certificate: { subjectAlternativeName: 'example/rebuilders/alpha' } } }),
    }),
  },
  'name-by-pattern': {
    what: 'the name fits only where the dots of the wanted one stand for any character',
    signed: 'certificate',
    ...refused('signer', 'identity-mismatch'),
    make: async (world) => ({
      bundle: await world.keyless({ with: { certificate: { subjectAlternativeName: 'https://witness-example/rebuilders/alpha' } } }),
    }),
  },
  'issuer-other': {
    what: 'the right name, vouched for by another issuer',
    signed: 'certificate',
    ...refused('signer', 'issuer-mismatch'),
    make: async (world) => ({ bundle: await world.keyless({ with: { certificate: { issuer: `${SIGNER.issuer}.mallory.example` } } }) }),
  },
  'key-for-certificate': {
    what: 'signed with a key where a certificate is asked for',
    signed: 'certificate',
    ...refused('signer', 'signer-kind-wrong'),
    make: async (world) => ({ bundle: await world.keyed({ logs: [world.sigstore.rekor1], timestamps: 1 }) }),
  },
  'key-other': {
    what: 'signed with another key',
    signed: 'key',
    ...refused('signer', 'key-unknown'),
    make: async (world) => ({ bundle: await world.keyed({ with: { key: world.otherKey } }) }),
  },
  'key-same-hint': {
    what: 'signed with another key that calls itself by the name of the wanted one',
    signed: 'key',
    ...refused('signature', 'signature-invalid'),
    make: async (world) => {
      const good = await world.keyed()
      return {
        bundle: changed(await world.keyed({ with: { key: world.otherKey } }), (copy) => {
          copy.verificationMaterial = good.verificationMaterial
        }),
      }
    },
  },
  'key-hint-other': {
    what: 'signed with the right key, and calls it by the name of another',
    signed: 'key',
    ...onlyOurs('signer', 'key-hint-unknown', 'no other tool reads the hint'),
    sigstoreGo: 'refuses',
    make: async (world) => {
      const other = await world.keyed({ with: { key: world.otherKey } })
      return {
        bundle: changed(await world.keyed(), (copy) => {
          copy.verificationMaterial = other.verificationMaterial
        }),
      }
    },
  },
  'certificate-swapped': {
    what: 'another good certificate of the same signer was put in its place',
    signed: 'certificate',
    ...refused('signature', 'signature-invalid'),
    make: async (world) => {
      const rawBytes = (await world.sigstore.certify(pair().publicKey, {})).toString('base64')
      return {
        bundle: changed(await world.keyless(), (copy) => {
          copy.verificationMaterial = { ...copy.verificationMaterial, certificate: { rawBytes } }
        }),
      }
    },
  },
  'certificate-changed': {
    what: "one bit of the authority's signature on the certificate was turned, and then it was logged",
    signed: 'certificate',
    ...refused('certificate', 'certificate-untrusted'),
    make: async (world) => ({
      bundle: await world.keyless({ with: { certificate: { change: (der) => Buffer.from(flipped(der.toString('base64')), 'base64') } } }),
    }),
  },
  'certificate-other-authority': {
    what: 'the certificate is from an authority that nobody trusts, and says the right name',
    signed: 'certificate',
    ...refused('certificate', 'certificate-untrusted'),
    make: async (world) => ({
      bundle: await world.stranger.signBundle({
        statement: world.reproduced,
        with: { certificate: {} },
        logs: [world.sigstore.rekor1],
      }),
    }),
  },
  'certificate-expired': {
    what: 'signed when the certificate had expired',
    signed: 'certificate',
    ...refused('certificate', 'certificate-expired'),
    make: async (world) => ({ bundle: await world.keyless({ with: { certificate: { at: new Date(Date.now() - 3_600_000) } } }) }),
  },
  'certificate-unlogged': {
    what: 'no certificate log vouches for the certificate',
    signed: 'certificate',
    ...refused('certificate', 'certificate-timestamp-missing'),
    make: async (world) => ({ bundle: await world.keyless({ with: { certificate: { logged: false } } }) }),
  },
  'certificate-log-unknown': {
    what: 'an unknown certificate log vouches for the certificate',
    signed: 'certificate',
    ...refused('certificate', 'certificate-timestamp-invalid'),
    make: async (world) => ({ bundle: await world.keyless(), root: { ...world.sigstore.root(), ctlogs: world.stranger.root()['ctlogs'] } }),
  },
  'root-empty': {
    what: 'a trusted root with nothing in it',
    signed: 'certificate',
    ...refused('certificate', 'certificate-untrusted'),
    make: async (world) => ({
      bundle: await world.keyless(),
      root: { ...world.sigstore.root(), tlogs: [], ctlogs: [], certificateAuthorities: [], timestampAuthorities: [] },
    }),
  },
  'wrong-key-kind': {
    what: 'signed with a certificate where a key is asked for',
    signed: 'key and timestamp',
    ...refused('signer', 'signer-kind-wrong'),
    make: async (world) => ({ bundle: await world.keyless(), signer: { kind: 'key', publicKeys: [pemOf(world.key)] } }),
  },
} as const satisfies Readonly<Record<string, InteropCase>>
