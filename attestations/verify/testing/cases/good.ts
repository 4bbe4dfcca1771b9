import type { InteropCase } from '../interop-case.ts'

const verified = { ours: null, cosign: 'accepts', sigstoreGo: 'accepts' } as const

export const GOOD = {
  'good-key': {
    what: 'signed with a key, and nothing else',
    signed: 'key',
    ...verified,
    sigstoreGo: 'refuses',
    why: 'its program always wants a time that the signer did not give',
    make: async (world) => ({ bundle: await world.keyed() }),
  },
  'good-key-timestamp': {
    what: 'signed with a key, timestamped',
    signed: 'key and timestamp',
    ...verified,
    make: async (world) => ({ bundle: await world.keyed({ timestamps: 1 }), thresholds: { times: 1 } }),
  },
  'good-key-rekor1': {
    what: 'signed with a key, in Rekor v1',
    signed: 'key and log',
    ...verified,
    make: async (world) => ({ bundle: await world.keyed({ logs: [world.sigstore.rekor1] }), thresholds: { logEntries: 1 } }),
  },
  'good-rekor1-timestamp': {
    what: 'certificate, Rekor v1, timestamp',
    signed: 'certificate',
    ...verified,
    make: async (world) => ({ bundle: await world.keyless() }),
  },
  'good-rekor1': {
    what: 'certificate, Rekor v1',
    signed: 'certificate',
    ...verified,
    make: async (world) => ({ bundle: await world.keyless({ timestamps: 0 }) }),
  },
  'good-rekor2-timestamp': {
    what: 'certificate, Rekor v2, timestamp',
    signed: 'certificate',
    ...verified,
    make: async (world) => ({ bundle: await world.keyless2() }),
  },
} as const satisfies Readonly<Record<string, InteropCase>>
