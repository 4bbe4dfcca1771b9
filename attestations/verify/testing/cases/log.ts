import { must } from '../case-world.ts'
import { changed, entryOf, flipped, proofOf } from '../change.ts'
import { type InteropCase, onlyOurs, refused } from '../interop-case.ts'

/** Transparency logs: entries, promises, proofs, checkpoints. */
export const LOG = {
  'log-missing': {
    what: 'not in any log',
    signed: 'certificate',
    ...refused('log', 'log-entry-missing'),
    make: async (world) => ({ bundle: await world.sign({ timestamps: 1 }) }),
  },
  'log-unknown': {
    what: 'in a log that the trusted root does not have',
    signed: 'certificate',
    ...refused('log', 'log-unknown'),
    make: async (world) => ({ bundle: await world.keyless({ logs: [world.stranger.rekor1] }) }),
  },
  'log-retired': {
    what: "the log's key was retired long before",
    signed: 'certificate',
    ...onlyOurs('log', 'log-key-not-valid', "the others do not hold an entry of Rekor v2 against its key's validity"),
    make: async (world) => {
      const root = world.sigstore.root()
      const { publicKey } = world.sigstore.rekor2.trusted as { publicKey: object }
      const validFor = { start: '2020-01-01T00:00:00Z', end: '2021-01-01T00:00:00Z' }
      return {
        bundle: await world.keyless2(),
        root: { ...root, tlogs: [{ ...world.sigstore.rekor2.trusted, publicKey: { ...publicKey, validFor } }] },
      }
    },
  },
  'promise-changed': {
    what: "one bit of the log's promise was turned",
    signed: 'certificate',
    ...refused('log', 'log-promise-invalid'),
    make: async (world) => ({
      bundle: changed(await world.keyless(), (copy) => {
        const promise = must(entryOf(copy).inclusionPromise)
        promise.signedEntryTimestamp = flipped(promise.signedEntryTimestamp)
      }),
    }),
  },
  'log-time-changed': {
    what: 'the time in the log entry was changed',
    signed: 'certificate',
    ...refused('log', 'log-promise-invalid'),
    make: async (world) => ({
      bundle: changed(await world.keyless(), (copy) => {
        entryOf(copy).integratedTime = String(Number(entryOf(copy).integratedTime) + 1)
      }),
    }),
  },
  'log-index-changed': {
    what: 'the index in the log entry was changed (Rekor v1)',
    signed: 'certificate',
    ...refused('log', 'log-promise-invalid'),
    make: async (world) => ({
      bundle: changed(await world.keyless(), (copy) => {
        entryOf(copy).logIndex = '1'
      }),
    }),
  },
  'log-index-changed-2': {
    what: 'the index in the log entry was changed (Rekor v2)',
    signed: 'certificate',
    ...refused('log', 'log-index-wrong'),
    make: async (world) => ({
      bundle: changed(await world.keyless2(), (copy) => {
        entryOf(copy).logIndex = '1'
      }),
    }),
  },
  'log-body-changed': {
    what: 'what the log recorded was changed',
    signed: 'certificate',
    ...refused('log', 'log-promise-invalid'),
    make: async (world) => ({
      bundle: changed(await world.keyless(), (copy) => {
        const entry = entryOf(copy)
        const body = Buffer.from(entry.canonicalizedBody, 'base64').toString()
        entry.canonicalizedBody = Buffer.from(body.replace(/"value":"[0-9a-f]{4}/, '"value":"0000')).toString('base64')
      }),
    }),
  },
  'log-entry-of-another': {
    what: "another signer's good log entry was put in its place",
    signed: 'certificate',
    ...refused('log', 'log-entry-of-another-key'),
    make: async (world) => {
      // The other comes after, as with timestamps: its time lies in the certificate's.
      const own = await world.keyless()
      const other = await world.keyless()
      return {
        bundle: changed(own, (copy) => {
          copy.verificationMaterial.tlogEntries = [entryOf(other)]
        }),
      }
    },
  },
  'log-entry-of-another-statement': {
    what: "the same key's good log entry for another statement was put in its place",
    signed: 'key and log',
    ...refused('log', 'log-entry-mismatch'),
    make: async (world) => {
      const other = await world.keyed({ statement: Buffer.from('{}'), logs: [world.sigstore.rekor1] })
      return {
        bundle: changed(await world.keyed({ logs: [world.sigstore.rekor1] }), (copy) => {
          copy.verificationMaterial.tlogEntries = [entryOf(other)]
        }),
        thresholds: { logEntries: 1 },
      }
    },
  },
  'log-entry-twice': {
    what: 'one log entry twice, to be counted as two',
    signed: 'certificate',
    ...refused('log', 'log-entry-duplicate'),
    make: async (world) => ({
      bundle: changed(await world.keyless(), (copy) => {
        copy.verificationMaterial.tlogEntries = [entryOf(copy), entryOf(copy)]
      }),
      thresholds: { logEntries: 2 },
    }),
  },
  'proof-removed': {
    what: 'the proof that the entry is in the log was taken away',
    signed: 'certificate',
    ...refused('bundle', 'log-proof-missing'),
    make: async (world) => ({
      bundle: changed(await world.keyless(), (copy) => {
        delete entryOf(copy).inclusionProof
      }),
    }),
  },
  'proof-hash-changed': {
    what: 'one bit of a hash in the proof was turned',
    signed: 'certificate',
    ...refused('log', 'log-proof-invalid'),
    make: async (world) => ({
      bundle: changed(await world.keyless(), (copy) => {
        proofOf(copy).hashes = must(proofOf(copy).hashes).map((hash) => flipped(hash))
      }),
    }),
  },
  'proof-root-changed': {
    what: 'the root hash beside the checkpoint is another than the one in it',
    signed: 'certificate',
    ...onlyOurs('log', 'log-proof-invalid', 'the others take the one in the checkpoint and pass over this one'),
    make: async (world) => ({
      bundle: changed(await world.keyless2(), (copy) => {
        proofOf(copy).rootHash = flipped(proofOf(copy).rootHash)
      }),
    }),
  },
  'checkpoint-changed': {
    what: 'the size of the tree in the checkpoint was changed',
    signed: 'certificate',
    ...refused('log', 'log-proof-invalid'),
    make: async (world) => ({
      bundle: changed(await world.keyless2(), (copy) => {
        const proof = proofOf(copy)
        const size = String(Number(proof.treeSize) + 1)
        proof.checkpoint.envelope = proof.checkpoint.envelope.replace(`\n${proof.treeSize}\n`, `\n${size}\n`)
        proof.treeSize = size
      }),
    }),
  },
  'checkpoint-signature-changed': {
    what: "one bit of the log's signature on the checkpoint was turned",
    signed: 'certificate',
    ...refused('log', 'log-proof-invalid'),
    make: async (world) => ({
      bundle: changed(await world.keyless2(), (copy) => {
        const { checkpoint } = proofOf(copy)
        checkpoint.envelope = checkpoint.envelope.replace(/ (\S+)\n$/, (_, signed: string) => ` ${flipped(signed)}\n`)
      }),
    }),
  },
} as const satisfies Readonly<Record<string, InteropCase>>
