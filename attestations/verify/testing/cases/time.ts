import { changed, flipped, signatureOf, timestampOf } from '../change.ts'
import { type InteropCase, onlyOurs, refused } from '../interop-case.ts'

const DAY = 86_400

/** When it was signed, and by whose word. */
export const TIME = {
  'timestamp-stripped': {
    what: 'the timestamp was taken away (Rekor v2, which gives no time)',
    signed: 'certificate',
    ...refused('time', 'timestamp-missing'),
    make: async (world) => ({ bundle: await world.keyless2({ timestamps: 0 }) }),
  },
  'timestamp-of-another': {
    what: "another signature's good timestamp was put in its place",
    signed: 'certificate',
    ...refused('time', 'timestamp-invalid'),
    make: async (world) => {
      // The other comes after: a time before the certificate's would be refused for that, whenever a second ends between the two.
      const own = await world.keyless2()
      const other = await world.keyless2()
      return {
        bundle: changed(own, (copy) => {
          timestampOf(copy).signedTimestamp = timestampOf(other).signedTimestamp
        }),
      }
    },
  },
  'timestamp-unknown-authority': {
    what: 'timestamped by an authority that nobody trusts',
    signed: 'certificate',
    ...refused('time', 'timestamp-invalid'),
    make: async (world) => {
      const good = await world.keyless2()
      const signedTimestamp = await world.stranger.timestamp(Buffer.from(signatureOf(good).sig, 'base64'))
      return {
        bundle: changed(good, (copy) => {
          timestampOf(copy).signedTimestamp = signedTimestamp
        }),
      }
    },
  },
  'timestamp-changed': {
    what: 'one bit of the timestamp was turned',
    signed: 'certificate',
    ...refused('time', 'timestamp-invalid'),
    make: async (world) => ({
      bundle: changed(await world.keyless2(), (copy) => {
        timestampOf(copy).signedTimestamp = flipped(timestampOf(copy).signedTimestamp)
      }),
    }),
  },
  'timestamp-garbled': {
    what: 'the timestamp is none',
    signed: 'certificate',
    ...refused('time', 'timestamp-malformed'),
    make: async (world) => ({
      bundle: changed(await world.keyless2(), (copy) => {
        timestampOf(copy).signedTimestamp = Buffer.from('not a timestamp').toString('base64')
      }),
    }),
  },
  'timestamp-twice': {
    what: 'one timestamp twice, to be counted as two',
    signed: 'certificate',
    ...onlyOurs('time', 'timestamp-duplicate', 'the others count it once and are content with one'),
    make: async (world) => ({
      bundle: changed(await world.keyless2(), (copy) => {
        copy.verificationMaterial.timestampVerificationData = { rfc3161Timestamps: [timestampOf(copy), timestampOf(copy)] }
      }),
    }),
  },
  'timestamp-bad-beside-good': {
    what: 'a bad timestamp beside a good log time',
    signed: 'certificate',
    ...onlyOurs('time', 'timestamp-invalid', 'the others count good witnesses and pass over bad ones'),
    make: async (world) => {
      // The other comes after: a time before the certificate's would be refused for that, whenever a second ends between the two.
      const own = await world.keyless()
      const other = await world.keyless()
      return {
        bundle: changed(own, (copy) => {
          timestampOf(copy).signedTimestamp = timestampOf(other).signedTimestamp
        }),
      }
    },
  },
  'too-old': {
    what: 'a week old where a day was asked for',
    signed: 'certificate',
    ...onlyOurs('age', 'statement-expired', 'the others take no age'),
    make: async (world) => ({ bundle: await world.keyless(), maxAgeSeconds: DAY, now: new Date(Date.now() + 7 * DAY * 1000) }),
  },
  'stamped-anew': {
    what: 'an old statement with a fresh timestamp where a day was asked for',
    signed: 'key and timestamp',
    ...onlyOurs('age', 'statement-expired', 'the others take no age; the statement has a date of its own'),
    make: async (world) => ({ bundle: await world.keyed({ timestamps: 1 }), thresholds: { times: 1 }, maxAgeSeconds: DAY }),
  },
  'in-future': {
    what: 'signed tomorrow',
    signed: 'certificate',
    ...onlyOurs('time', 'timestamp-in-future', 'the others hold no time against the clock'),
    make: async (world) => {
      const at = new Date(Date.now() + DAY * 1000)
      return { bundle: await world.sign({ with: { certificate: { at } }, logs: [world.sigstore.rekor1], at }) }
    },
  },
} as const satisfies Readonly<Record<string, InteropCase>>
