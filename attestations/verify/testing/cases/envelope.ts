import { rawStatement } from '../case-world.ts'
import { changed, flipped, signatureOf } from '../change.ts'
import { type InteropCase, refused } from '../interop-case.ts'

/** The envelope: what is signed, as what, and by how many. */
export const ENVELOPE = {
  'payload-changed': {
    what: 'the statement was changed after it was signed',
    signed: 'certificate',
    ...refused('signature', 'signature-invalid'),
    make: async (world) => ({
      bundle: changed(await world.keyless(), (copy) => {
        copy.dsseEnvelope.payload = rawStatement(world.statements.reproduced, { extra: 1 }).toString('base64')
      }),
    }),
  },
  'payload-type-changed': {
    what: 'the payload type was changed after it was signed',
    signed: 'certificate',
    ...refused('envelope', 'payload-type-wrong'),
    make: async (world) => ({
      bundle: changed(await world.keyless(), (copy) => {
        copy.dsseEnvelope.payloadType = 'application/json'
      }),
    }),
  },
  'payload-type-other': {
    what: 'signed as something that is no statement',
    signed: 'certificate',
    ...refused('envelope', 'payload-type-wrong'),
    make: async (world) => ({ bundle: await world.keyless({ payloadType: 'application/json' }) }),
  },
  'signature-changed': {
    what: 'one bit of the signature was turned',
    signed: 'certificate',
    ...refused('signature', 'signature-invalid'),
    make: async (world) => ({
      bundle: changed(await world.keyless(), (copy) => {
        signatureOf(copy).sig = flipped(signatureOf(copy).sig)
      }),
    }),
  },
  'signatures-two': {
    what: 'two signatures, of which one is good',
    signed: 'certificate',
    ...refused('envelope', 'signatures-several'),
    make: async (world) => ({
      bundle: changed(await world.keyless(), (copy) => {
        copy.dsseEnvelope.signatures.push({ sig: flipped(signatureOf(copy).sig), keyid: '' })
      }),
    }),
  },
  'signature-none': {
    what: 'no signature',
    signed: 'certificate',
    ...refused('envelope', 'signature-missing'),
    make: async (world) => ({
      bundle: changed(await world.keyless(), (copy) => {
        copy.dsseEnvelope.signatures = []
      }),
    }),
  },
  'key-id-other': {
    what: 'the envelope names another key',
    signed: 'key and timestamp',
    ...refused('envelope', 'key-id-wrong'),
    make: async (world) => ({
      bundle: changed(await world.keyed({ timestamps: 1 }), (copy) => {
        signatureOf(copy).keyid = 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
      }),
      thresholds: { times: 1 },
    }),
  },
} as const satisfies Readonly<Record<string, InteropCase>>
