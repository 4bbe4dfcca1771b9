import fc from 'fast-check'
import type { Artifact, Attempt } from '../../verifier/model/attempt.ts'
import type { Claim } from '../../verifier/model/claim.ts'
import type { Comparison, Transformation } from '../../verifier/model/comparison.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import type { Finding } from '../../verifier/model/finding.ts'
import { VERIFICATION_REPORT_SCHEMA, type VerificationReport } from '../../verifier/model/report.ts'
import { decideVerification, Verdict } from '../../verifier/model/verdict.ts'
import { hold } from './hold.ts'

/** A digest that says in a test which it is. */
export function digest(letter: string): Sha256 {
  return Sha256.parse(letter.repeat(64))
}

/** Few, so that strangers meet. */
const digests = fc.constantFrom(...['a', 'b', 'c', 'd'].map(digest))
const names = fc.constantFrom('image.tar', 'boot.efi', 'sha256sum.txt', 'odd\u202ename')
const usually = (often: number): fc.Arbitrary<boolean> => fc.nat(99).map((drawn) => drawn < often)

const artifact: fc.Arbitrary<Artifact> = fc.record({
  name: names,
  format: fc.constantFrom('tar' as const, 'other' as const),
  sha256: digests,
  size: fc.nat(),
  treeManifest: fc.option(digests),
  oci: fc.option(fc.record({ manifest: digests, config: digests, layer: fc.option(digests) })),
  written: fc.record({ name: names, sha256: digests, size: fc.nat(), compression: fc.constant('none' as const) }),
  notComparable: usually(5).map((odd) => (odd ? 'two members of one path' : null)),
})

const artifacts = fc.uniqueArray(artifact, { minLength: 1, maxLength: 3, selector: ({ name }) => name })

const sandbox: fc.Arbitrary<NonNullable<Attempt['sandbox']>> = fc.record({
  profile: fc.constantFrom('docker-userns-v1', 'docker-userns-v2'),
  digest: digests,
  isolation: fc.constant('shared-kernel' as const),
  apparmor: fc.constantFrom('enforced' as const, 'absent' as const),
  workspace: fc.constantFrom('tmpfs' as const, 'volume' as const),
})

const BUILDER = digest('e')
const LOCK = digest('f')

type Base = { readonly yielded: readonly Artifact[]; readonly live: boolean }

const attemptOf = (number: number, { yielded, live }: Base): fc.Arbitrary<Attempt> =>
  fc
    .record({
      outcome: fc.oneof(
        { weight: 30, arbitrary: fc.constant('built' as const) },
        {
          weight: 1,
          arbitrary: fc.constantFrom(
            'build-failed',
            'refused',
            'limit',
            'input-unavailable',
            'input-differs',
            'cancelled',
            'infrastructure',
          ),
        },
      ),
      own: usually(8),
      others: artifacts,
      sandbox,
      ms: fc.nat(100_000),
    })
    .map(({ outcome, own, others, sandbox: room, ms }) => ({
      number,
      mode: live && number === 1 ? 'live' : 'replay',
      outcome: outcome as Attempt['outcome'],
      limit: outcome === 'limit' ? 'memory' : null,
      reason: outcome === 'built' ? null : { code: `${outcome}-code`, message: 'as it ended', data: {} },
      retried: [],
      stages: [{ name: 'build', startedAt: '2026-11-24T10:01:00.000Z', ms, bytes: null }],
      artifacts: outcome === 'built' ? [...(own ? others : yielded)] : [],
      lock: LOCK,
      log: digest('1'),
      builder: BUILDER,
      sandbox: room,
      usage: null,
    }))

const claimOf = (yielded: readonly Artifact[]): fc.Arbitrary<Claim> =>
  fc
    .record({
      kind: fc.constantFrom('file' as const, 'file' as const, 'oci-manifest' as const, 'dstack-os-image' as const),
      of: fc.constantFrom(...yielded),
      named: fc.boolean(),
      right: usually(90),
      sha256: digests,
      written: usually(20),
    })
    .map(({ kind, of, named, right, sha256, written }) => {
      const held = kind === 'oci-manifest' ? (of.oci?.manifest ?? sha256) : written ? of.written.sha256 : of.sha256
      return { kind, name: named ? of.name : null, sha256: right ? held : sha256, location: null }
    })

const finding: fc.Arbitrary<Finding> = fc.record({
  rule: fc.constantFrom('opaque-archive', 'sandbox-apt-keyring'),
  severity: fc.oneof({ weight: 12, arbitrary: fc.constantFrom('warn' as const, 'info' as const) }, fc.constant('refuse' as const)),
  path: fc.constant(null),
  line: fc.constant(null),
  message: fc.constant('an objection'),
  evidence: fc.constant([]),
  remedy: fc.constant('remove it'),
})

/** What a worker that lies, or a defect, may do to one comparison. */
type Slip = { readonly at: number; readonly as: 'dropped' | 'equal' | 'different' | 'content-equal' }
const slip: fc.Arbitrary<Slip> = fc.record({
  at: fc.nat(20),
  as: fc.constantFrom('dropped' as const, 'equal' as const, 'different' as const, 'content-equal' as const),
})

function slipped(comparisons: readonly Comparison[], { at, as }: Slip): Comparison[] {
  const index = at % Math.max(1, comparisons.length)
  return comparisons.flatMap((one, place): Comparison[] => {
    if (place !== index) return [one]
    if (as === 'dropped') return []
    const transformations: Transformation[] = as === 'content-equal' ? ['tar-member-order'] : []
    const tier = as === 'equal' ? 'bit-exact' : as === 'content-equal' ? as : null
    return [{ ...one, result: as === 'different' ? as : 'equal', tier, transformations }]
  })
}

const said: fc.Arbitrary<VerificationReport['verdict']> = fc.option(fc.constantFrom(...Verdict.options))

/** What an honest verifier could write of anything: comparisons that the digests bear out, and the verdict that the evidence decides. */
export const honestReport: fc.Arbitrary<VerificationReport> = fc
  .record({ yielded: artifacts, live: fc.boolean() })
  .chain((base) =>
    fc.record({
      attempts: fc.nat(3).chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => attemptOf(index + 1, base)))),
      claims: fc.array(claimOf(base.yielded), { minLength: 1, maxLength: 3 }),
      recipeFindings: fc.array(finding, { maxLength: 2 }),
    }),
  )
  .map(({ attempts, claims, recipeFindings }) =>
    judged({ ...FRAME, attempts, claims, recipeFindings, comparisons: hold(claims, attempts) }),
  )

/**
 * Reports of any verdict that fit the schema. Most are honest; some have comparisons that the attempts' digests do not bear out, or a verdict
 * that the evidence does not decide.
 */
export const arbitraryReport: fc.Arbitrary<VerificationReport> = fc
  .record({
    report: honestReport,
    slips: usually(75).chain((honest) => fc.array(slip, { maxLength: honest ? 0 : 3 })),
    lies: usually(5),
    said,
  })
  .map(({ report, slips, lies, said: lie }) => {
    const slid = judged({ ...report, comparisons: slips.reduce(slipped, report.comparisons) })
    return lies ? { ...slid, verdict: lie } : slid
  })

/** The report with the verdict, tier and reasons that its evidence decides. */
export function judged(report: Omit<VerificationReport, 'verdict' | 'tier' | 'reasons'>): VerificationReport {
  const { verdict, tier, reasons } = decideVerification(report)
  return { ...report, verdict, tier, reasons: [...reasons] }
}

const FRAME: Omit<VerificationReport, 'verdict' | 'tier' | 'claims' | 'reasons' | 'recipeFindings' | 'attempts' | 'comparisons'> = {
  schema: VERIFICATION_REPORT_SCHEMA,
  architecture: 'amd64',
  source: {
    kind: 'git',
    url: 'https://git.example/app/image.git',
    commit: '0123456789abcdef0123456789abcdef01234567',
    ref: 'refs/heads/main',
    path: 'images/app',
    treeDigest: digest('9'),
  },
  recipe: {
    images: [],
    distribution: 'debian',
    release: 'bookworm',
    architecture: 'x86-64',
    sourceDateEpoch: 1,
    snapshot: null,
    mirrors: [],
    imageConfig: { entrypoint: [], cmd: [], workingDir: null, user: null, env: [], exposedPorts: [], labels: {} },
    profiles: [],
    files: ['mkosi.conf'],
    pins: { present: [], missing: [] },
  },
  builder: { digest: BUILDER, mkosi: '25.3' },
  sandbox: digest('8'),
  lock: LOCK,
  indexes: [{ archive: 'debian', suite: 'oldstable', date: '2024-11-09T10:09:22Z', validUntil: null }],
  findings: [],
  explanation: { state: 'skip', reason: 'the claimed bytes are not at hand', documents: [] },
  startedAt: '2026-11-24T10:00:00.000Z',
  finishedAt: '2026-11-24T10:03:01.250Z',
  tool: { name: 'bitwitness', version: '0.1.0' },
}
