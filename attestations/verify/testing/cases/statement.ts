import { createHash } from 'node:crypto'
import { PREDICATE_TYPE } from '../../../statement/predicate-types.ts'
import { ARTIFACT, type CaseWorld, DIGEST, must, rawStatement } from '../case-world.ts'
import { type InteropCase, onlyOurs, refused } from '../interop-case.ts'

const SHA512 = createHash('sha512').update(ARTIFACT).digest('hex')
const OTHER = 'f'.repeat(64)
const NOT_READ = 'the others do not read what a statement says'

/** Signed as it should be, and then about the statement: what is signed is not what was asked for, or not what it calls itself. */
const signed = async (world: CaseWorld, statement: Uint8Array) => ({ bundle: await world.keyless({ statement }) })

export const STATEMENTS = {
  'subject-other': {
    what: 'about another artifact',
    signed: 'certificate',
    ...refused('subject', 'subject-mismatch'),
    make: (world) =>
      signed(
        world,
        rawStatement(world.statements.provenance, {
          subject: [{ name: 'image.tar', digest: { sha256: OTHER } }],
          predicateType: PREDICATE_TYPE.reproduced,
          predicate: otherReproduced(world),
        }),
      ),
  },
  'subject-sha512-only': {
    what: 'names the artifact by its sha512 only',
    signed: 'certificate',
    ...onlyOurs('statement', 'statement-subject-digest', 'the others take any digest; ours knows sha256 alone'),
    make: (world) =>
      signed(world, rawStatement(world.statements.reproduced, { subject: [{ name: 'image.tar', digest: { sha512: SHA512 } }] })),
  },
  'subject-wrong-sha256-right-sha512': {
    what: 'names the artifact by its sha512 beside a wrong sha256',
    signed: 'certificate',
    ...onlyOurs('statement', 'statement-subject-digest', 'the others take a subject that matches by any of its digests'),
    make: (world) =>
      signed(
        world,
        rawStatement(world.statements.reproduced, { subject: [{ name: 'image.tar', digest: { sha256: OTHER, sha512: SHA512 } }] }),
      ),
  },
  'subject-not-claimed': {
    what: 'a reproduction whose claims do not name the artifact, put among its subjects',
    signed: 'certificate',
    ...onlyOurs('predicate', 'predicate-contradicts-type', NOT_READ),
    make: (world) =>
      signed(
        world,
        rawStatement(world.statements.reproduced, {
          subject: [{ name: 'image.tar', digest: { sha256: DIGEST } }],
          predicate: otherReproduced(world),
        }),
      ),
  },
  'predicate-type-other': {
    what: 'a good statement of another kind: provenance where a reproduction was asked for',
    signed: 'certificate',
    ...refused('predicate-type', 'predicate-type-wrong'),
    sigstoreGo: 'accepts',
    why: 'the program of sigstore-go cannot be asked for a kind',
    make: (world) => signed(world, rawStatement(world.statements.provenance)),
  },
  'mismatch-honest': {
    what: 'a mismatch, called a rebuild result, where a reproduction was asked for',
    signed: 'certificate',
    ...refused('predicate-type', 'predicate-type-wrong'),
    sigstoreGo: 'accepts',
    why: 'the program of sigstore-go cannot be asked for a kind',
    make: (world) => signed(world, rawStatement(world.statements.mismatch)),
  },
  'mismatch-as-reproduced': {
    what: 'a mismatch passed off as reproduced',
    signed: 'certificate',
    ...onlyOurs('predicate', 'predicate-contradicts-type', NOT_READ),
    make: (world) => signed(world, rawStatement(world.statements.mismatch, { predicateType: PREDICATE_TYPE.reproduced })),
  },
  'content-equal-as-reproduced': {
    what: 'equal content passed off as equal bits',
    signed: 'certificate',
    ...onlyOurs('predicate', 'predicate-contradicts-type', NOT_READ),
    make: (world) => signed(world, rawStatement(world.statements.contentEqual, { predicateType: PREDICATE_TYPE.reproduced })),
  },
  'reproduced-against-evidence': {
    what: 'says reproduced, and its own observations say different',
    signed: 'certificate',
    ...onlyOurs('predicate', 'predicate-contradicts-type', NOT_READ),
    make: (world) => {
      const { predicate } = world.statements.reproduced
      const claims = predicate.claims.map((claim) => ({
        ...claim,
        observed: claim.observed.map((one) => ({ ...one, result: 'different', tier: null })),
      }))
      return signed(world, rawStatement(world.statements.reproduced, { predicate: { ...predicate, claims } }))
    },
  },
  'predicate-malformed': {
    what: 'a reproduction without any evidence',
    signed: 'certificate',
    ...onlyOurs('predicate', 'predicate-malformed', NOT_READ),
    make: (world) => signed(world, rawStatement(world.statements.reproduced, { predicate: { verdict: 'reproduced', tier: 'bit-exact' } })),
  },
  'statement-version-other': {
    what: 'a statement of another version',
    signed: 'certificate',
    ...onlyOurs('statement', 'statement-type-unknown', 'the others take version 0.1 as well'),
    make: (world) => signed(world, rawStatement(world.statements.reproduced, { _type: 'https://in-toto.io/Statement/v0.1' })),
  },
  'statement-key-twice': {
    what: 'the statement has its kind twice: readers differ in which one they take',
    signed: 'certificate',
    ...refused('statement', 'json-duplicate-key'),
    make: (world) => {
      const text = rawStatement(world.statements.reproduced).toString()
      return signed(world, Buffer.from(text.replace('{', `{"predicateType":"${PREDICATE_TYPE.provenance}",`)))
    },
  },
  'statement-not-json': {
    what: 'no statement, but said to be one',
    signed: 'certificate',
    ...refused('statement', 'json-malformed'),
    make: (world) => signed(world, Buffer.from('reproduced')),
  },
} as const satisfies Readonly<Record<string, InteropCase>>

/** A whole reproduction of something else. */
function otherReproduced({ statements }: CaseWorld): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(must(statements.reproduced.predicate)).replaceAll(DIGEST, OTHER)) as Record<string, unknown>
}
