import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Attempt } from '../../verifier/model/attempt.ts'
import { InputLock } from '../../verifier/model/lock.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import { digest, judged } from '../testing/arbitrary-report.ts'
import { contentEqualReport, goldenReport, LAPTOP, nondeterministicReport, SERVICE } from '../testing/reports.ts'
import { encodeStatement } from './encode.ts'
import { builderId, keyBuilderBase } from './predicate-types.ts'
import { MAX_LISTED_INPUTS, provenanceOf } from './provenance.ts'
import { rebuildResultOf } from './rebuild-result.ts'
import { reproducedOf } from './reproduced.ts'
import { statementsOf } from './statements.ts'

const REPRODUCED = 'bitwitness:reproduced/v1'
const RESULT = 'bitwitness:rebuild-result/v1'
const PROVENANCE = 'https://slsa.dev/provenance/v1'

const types = (report: VerificationReport): string[] => statementsOf(report, SERVICE).map(({ predicateType }) => predicateType)
const failure = (code: string): Error => expect.objectContaining({ code }) as Error

const withAttempts = (report: VerificationReport, change: (attempt: Attempt) => Partial<Attempt>): VerificationReport => ({
  ...report,
  attempts: report.attempts.map((attempt) => ({ ...attempt, ...change(attempt) })),
})

describe('statementsOf', () => {
  it.each([
    ['reproduced', goldenReport('reproduced'), [PROVENANCE, REPRODUCED]],
    ['reproduced at content-equal', contentEqualReport(), [PROVENANCE, RESULT]],
    ['mismatch', goldenReport('mismatch'), [PROVENANCE, RESULT]],
    ['nondeterministic', nondeterministicReport(), [RESULT]],
    ['build-failed', goldenReport('build-failed'), [RESULT]],
    ['refused', goldenReport('refused'), [RESULT]],
  ])('of %s', (_, report, expected) => {
    expect(types(report)).toEqual(expected)
  })

  it.each([
    ['cancelled', goldenReport('cancelled')],
    ['undecided', judged({ ...goldenReport('reproduced'), attempts: [], comparisons: [] })],
    [
      'undecided for an input that is gone',
      judged(withAttempts(goldenReport('build-failed'), () => ({ outcome: 'input-unavailable', limit: null }))),
    ],
  ])('are none of a verification that was %s', (_, report) => {
    for (const make of [statementsOf, provenanceOf, reproducedOf, rebuildResultOf])
      expect(() => make(report, SERVICE)).toThrow(failure('verdict-not-attestable'))
  })
})

describe('a report that says something else than its evidence', () => {
  const report = goldenReport('reproduced')
  const [first, second] = report.attempts as [Attempt, Attempt]
  const [held] = first.artifacts
  if (held === undefined) throw new Error('the golden attempt has an artifact')
  const changed = (at: number, change: Partial<VerificationReport['comparisons'][number]>): VerificationReport['comparisons'] =>
    report.comparisons.map((one, index) => (index === at ? { ...one, ...change } : one))
  const otherBytes = { ...second, artifacts: second.artifacts.map((one) => ({ ...one, sha256: digest('7') })) }

  it.each<[string, VerificationReport]>([
    ['a mismatch that is called reproduced', { ...goldenReport('mismatch'), verdict: 'reproduced', tier: 'bit-exact' }],
    ['a mismatch that is called nothing', { ...goldenReport('mismatch'), verdict: 'undecided' }],
    ['content-equal that is called bit-exact', { ...contentEqualReport(), tier: 'bit-exact' }],
    ['a refusal that is not told', { ...report, recipeFindings: goldenReport('refused').recipeFindings }],
    ['a claim that no attempt met, called equal', judged({ ...goldenReport('mismatch'), comparisons: goldenReport('mismatch').comparisons.map((one) => ({ ...one, result: 'equal', tier: 'bit-exact' })) })],
    ['a claim that attempts met, called different', judged({ ...report, comparisons: changed(1, { result: 'different', tier: null }) })],
    ['a claim of another digest than was compared', { ...report, claims: report.claims.map((claim, index) => (index === 0 ? { ...claim, sha256: digest('7') } : claim)) }],
    ['attempts with other bytes, called equal', { ...report, attempts: [first, otherBytes] }],
    ['attempts with other images, called equal', { ...report, attempts: [first, { ...second, artifacts: second.artifacts.map((one) => ({ ...one, oci: null })) }] }],
    ['attempts of which only one artifact was compared', { ...report, attempts: [first, { ...second, artifacts: [...second.artifacts, { ...held, name: 'boot.efi' }] }] }],
    ['attempts of equal bytes, called different', judged({ ...report, comparisons: changed(4, { result: 'different', tier: null }) })],
    ['an attempt compared with itself', { ...report, comparisons: [...report.comparisons, { ...report.comparisons[4], right: report.comparisons[4]?.left } as VerificationReport['comparisons'][number]] }],
    ['bit-exact after a transformation', { ...report, comparisons: changed(0, { transformations: ['compression'] }) }],
    ['a comparison with an attempt that is not there', { ...report, comparisons: [...report.comparisons, { ...report.comparisons[0], left: { attempt: 3, artifact: 'image.tar', sha256: held.sha256 } } as VerificationReport['comparisons'][number]] }],
    ['a comparison with an artifact that is not there', { ...report, comparisons: changed(0, { left: { attempt: 1, artifact: 'other.tar', sha256: held.sha256 } }) }],
    ['a digest that no attempt computed', { ...goldenReport('mismatch'), comparisons: goldenReport('mismatch').comparisons.map((one) => (one.claim === null ? one : { ...one, left: { ...one.left, sha256: digest('7') } })) }],
    ['a comparison with another claim than the report’s', { ...goldenReport('mismatch'), comparisons: goldenReport('mismatch').comparisons.map((one) => (one.claim === null || one.right === null ? one : { ...one, right: { ...one.right, sha256: digest('7') } })) }],
    ['a difference that has a tier', { ...goldenReport('mismatch'), comparisons: goldenReport('mismatch').comparisons.map((one) => (one.claim === null ? one : { ...one, tier: 'bit-exact' })) }],
    ['an equality without a tier', { ...goldenReport('mismatch'), comparisons: goldenReport('mismatch').comparisons.map((one) => (one.claim === null ? one : { ...one, result: 'equal' })), reasons: [] }],
    ['two attempts of one number', { ...report, attempts: [first, second, second] }],
    ['two artifacts of one name', withAttempts(report, ({ artifacts }) => ({ artifacts: [...artifacts, ...artifacts] }))],
    ['an artifact of an attempt that failed', withAttempts(goldenReport('build-failed'), () => ({ artifacts: first.artifacts }))],
    ['an attempt that built nothing', withAttempts({ ...report, comparisons: report.comparisons }, ({ number }) => (number === 2 ? { artifacts: [] } : {}))],
    ['an attempt without a sandbox', withAttempts(report, () => ({ sandbox: null }))],
    ['an attempt in another builder', withAttempts(report, ({ number }) => (number === 2 ? { builder: digest('7') } : {}))],
    ['an attempt with another lock', withAttempts(report, ({ number }) => (number === 2 ? { lock: digest('7') } : {}))],
  ])('is not attested: %s', (_, lie) => {
    expect(() => statementsOf(lie, SERVICE)).toThrow(failure('report-contradicts-itself'))
  }) // biome-ignore format: one a line
})

describe('reproducedOf', () => {
  it('names each claimed digest, by the artifact that met it', () => {
    const report = goldenReport('reproduced')
    const { subject, predicate } = reproducedOf(report, SERVICE)
    expect(subject).toEqual([
      { name: 'image.tar', digest: { sha256: report.claims[0]?.sha256 } },
      { name: 'image.tar.oci', digest: { sha256: report.claims[1]?.sha256 } },
    ])
    expect(predicate.claims.map(({ sha256, observed }) => observed.map((one) => [one.attempt, one.sha256 === sha256, one.tier]))).toEqual([
      [[1, true, 'bit-exact'], [2, true, 'bit-exact']],
      [[1, true, 'bit-exact'], [2, true, 'bit-exact']],
    ]) // biome-ignore format: one a line
  })

  it('is made of nothing less', () => {
    for (const report of [contentEqualReport(), nondeterministicReport(), ...['mismatch', 'build-failed', 'refused'].map(goldenReport)])
      expect(() => reproducedOf(report, SERVICE)).toThrow(failure('not-reproduced'))
  })

  it('holds for a claim on the very bytes that mkosi wrote', () => {
    const report = goldenReport('reproduced')
    const written = report.attempts[0]?.artifacts[0]?.written.sha256 ?? digest('0')
    const on = (one: VerificationReport['comparisons'][number]): VerificationReport['comparisons'][number] =>
      one.claim === 0 && one.right !== null ? { ...one, right: { ...one.right, sha256: written } } : one
    const claims = report.claims.map((claim, index) => (index === 0 ? { ...claim, sha256: written } : claim))
    const { subject } = reproducedOf({ ...report, claims, comparisons: report.comparisons.map(on) }, SERVICE)
    expect(subject[0]?.digest.sha256).toBe(written)
  })

  it('cannot be signed as anything weaker, whoever changed it', () => {
    const statement = reproducedOf(goldenReport('reproduced'), SERVICE)
    for (const change of [{ tier: 'content-equal' }, { tier: null }, { verdict: 'mismatch' }, { claims: [] }]) {
      const weaker = { ...statement, predicate: { ...statement.predicate, ...change } }
      expect(() => encodeStatement(weaker)).toThrow(failure('predicate-malformed'))
    }
  })
})

describe('rebuildResultOf', () => {
  it('is not made of a bit-exact reproduction, and cannot be signed as one', () => {
    expect(() => rebuildResultOf(goldenReport('reproduced'), SERVICE)).toThrow(failure('reproduced-bit-exact'))
    const statement = rebuildResultOf(contentEqualReport(), SERVICE)
    for (const change of [{ tier: 'bit-exact' }, { tier: null }, { transformations: [] }, { verdict: 'undecided', tier: null }])
      expect(() => encodeStatement({ ...statement, predicate: { ...statement.predicate, ...change } })).toThrow(
        failure('predicate-malformed'),
      )
  })

  it('says of a mismatch what was claimed and what each attempt has instead', () => {
    const { subject, predicate } = rebuildResultOf(goldenReport('mismatch'), SERVICE)
    const claimed = '4f03a060b7eb032972dcb327f2c989b14d5e73c35b3d5928a6f875ca39c159ba'
    const observed = {
      result: 'different',
      tier: null,
      transformations: [],
      artifact: 'image.tar',
      sha256: 'c7c5c1d70c5dec4416ab6158afd0b223ef40c29b1dc1f97ed9428b94d4cadb1c',
    }
    expect(subject).toEqual([{ name: '_', digest: { sha256: claimed } }])
    expect(predicate).toMatchObject({
      verdict: 'mismatch',
      tier: null,
      transformations: [],
      reasons: ['claim-different'],
      owner: 'https://git.example/app',
      claims: [
        {
          kind: 'file',
          name: null,
          sha256: claimed,
          observed: [
            { attempt: 1, ...observed },
            { attempt: 2, ...observed },
          ],
        },
      ],
      findings: { recipe: [{ rule: 'opaque-archive', severity: 'warn' }], differences: ['content-differs', 'machine-id'] },
      notChecked: ['apparmor', 'kernel-shared', 'difference', 'source-honesty'],
    })
  })

  it('says of a missing artifact that nothing was observed, not what was looked for', () => {
    const report = goldenReport('mismatch')
    const comparisons = report.comparisons.map((one): VerificationReport['comparisons'][number] =>
      one.claim === null
        ? one
        : { ...one, left: { ...one.left, artifact: 'disk.raw', sha256: one.right?.sha256 ?? digest('0') }, right: null, result: 'missing' },
    )
    const { claims } = rebuildResultOf(judged({ ...report, comparisons }), SERVICE).predicate
    expect(claims[0]?.observed.map(({ artifact, sha256 }) => [artifact, sha256])).toEqual([
      [null, null],
      [null, null],
    ])
  })

  it('names the transformations, the reason of a failed build and the rules of a refusal', () => {
    expect(rebuildResultOf(contentEqualReport(), SERVICE).predicate).toMatchObject({
      tier: 'content-equal',
      transformations: ['compression', 'tar-member-order'],
    })
    expect(rebuildResultOf(goldenReport('build-failed'), SERVICE).predicate).toMatchObject({
      verdict: 'build-failed',
      reasons: ['limit-memory'],
    })
    expect(rebuildResultOf(goldenReport('refused'), SERVICE).predicate).toMatchObject({
      verdict: 'refused',
      reasons: ['sandbox-apt-keyring'],
      findings: { recipe: [{ rule: 'sandbox-apt-keyring', severity: 'refuse' }] },
      builder: { ids: [], digest: null, mkosi: null },
    })
  })

  it('carries no sentence that a stranger could have had a hand in', () => {
    const marked = JSON.parse(
      JSON.stringify(goldenReport('mismatch')).replaceAll(/"(message|remedy|location)":"[^"]*"/g, '"$1":"PLANTED"'),
    ) as VerificationReport
    for (const statement of statementsOf(marked, SERVICE))
      expect(new TextDecoder().decode(encodeStatement(statement))).not.toContain('PLANTED')
  })
})

describe('provenanceOf', () => {
  const report = goldenReport('reproduced')
  const lock = InputLock.parse(
    JSON.parse(readFileSync(path.join(import.meta.dirname, '../../verifier/model/testdata/input-lock.json'), 'utf8')),
  )
  const dependencies = (...args: Parameters<typeof provenanceOf>): string[] =>
    provenanceOf(...args).predicate.buildDefinition.resolvedDependencies.map(({ name }) => name)

  it('is about the bytes of the last attempt, whatever was claimed', () => {
    const ours = [
      'c7c5c1d70c5dec4416ab6158afd0b223ef40c29b1dc1f97ed9428b94d4cadb1c',
      '05b3abf2579a5eb66403cd78be557fd860633a1fe2103c7642030defe32c657f',
    ]
    for (const one of [report, goldenReport('mismatch')]) {
      const { subject, predicate } = provenanceOf(one, SERVICE)
      expect(subject.map(({ name, digest: { sha256 } }) => [name, sha256])).toEqual([
        ['image.tar', ours[0]],
        ['image.tar.oci', ours[1]],
      ])
      expect(predicate.buildDefinition.internalParameters).toMatchObject({ attempt: 2, attempts: 2, mode: 'replay' })
    }
  })

  it.each([
    ['attempts that disagree', nondeterministicReport()],
    ['a build that failed', goldenReport('build-failed')],
    ['a recipe that was refused', goldenReport('refused')],
    [
      'bytes that cannot be compared',
      judged({
        ...withAttempts(report, ({ artifacts }) => ({
          artifacts: artifacts.map((one) => ({ ...one, notComparable: 'bytes behind the end' })),
        })),
        attempts: report.attempts.slice(0, 1).map((attempt) => ({
          ...attempt,
          artifacts: attempt.artifacts.map((one) => ({ ...one, notComparable: 'bytes behind the end' })),
        })),
        comparisons: report.comparisons
          .slice(0, 3)
          .filter(({ left }) => left.attempt === 1)
          .map((one) => ({ ...one, result: 'not-comparable', tier: null, reason: 'bytes behind the end' })),
      }),
    ],
  ])('is not made of %s', (_, one) => {
    expect(() => provenanceOf(one, SERVICE)).toThrow(failure('provenance-impossible'))
    expect(types(one)).toEqual([RESULT])
  })

  it('has a builder id of its own for each sandbox, under the operator’s name or the key’s', () => {
    const id = (one: VerificationReport, context = SERVICE): string => provenanceOf(one, context).predicate.runDetails.builder.id
    const other = withAttempts(report, ({ sandbox }) => ({
      sandbox: sandbox === null ? null : { ...sandbox, profile: 'docker-userns-v2' },
    }))
    expect(id(report)).toBe('https://rebuild.example/builder/shared-kernel/docker-userns-v1')
    expect(id(other)).toBe('https://rebuild.example/builder/shared-kernel/docker-userns-v2')
    expect(id(report, { ...LAPTOP, builderBase: keyBuilderBase(digest('5')) })).toBe(
      `bitwitness:builder/key/${'5'.repeat(64)}/shared-kernel/docker-userns-v1`,
    )
    expect(builderId('https://x.example/b/', { isolation: 'i', profile: 'p' })).toBe('https://x.example/b/i/p')
  })

  it('names a lock as an outer parameter only where it was given', () => {
    const outer = (one: VerificationReport): unknown => provenanceOf(one, SERVICE).predicate.buildDefinition.externalParameters.lock
    expect(outer(report)).toBe(null)
    expect(outer(withAttempts(report, () => ({ mode: 'replay' })))).toBe(report.lock)
  })

  it('lists every input of a lock that is passed, and the lock alone of a long one', () => {
    const known = { sha256: report.lock ?? digest('0'), lock }
    expect(dependencies(report, SERVICE)).toEqual(['source', 'source-tree', 'builder', 'inputs.lock.json'])
    expect(dependencies(report, SERVICE, known).slice(4)).toEqual(lock.inputs.map(({ archive, path: place }) => `${archive}/${place}`))
    const [input] = lock.inputs
    const long = Array.from({ length: MAX_LISTED_INPUTS + 1 }, () => input).filter((one) => one !== undefined)
    expect(dependencies(report, SERVICE, { ...known, lock: { ...lock, inputs: long } })).toHaveLength(4)
  })

  it('takes no lock but the one that the report names', () => {
    expect(() => provenanceOf(report, SERVICE, { sha256: digest('7'), lock })).toThrow(failure('lock-of-another-build'))
  })

  it('names an archive by its digest, and a folder by that of its tree', () => {
    const base = { kind: 'archive', name: 'app.tar', path: '.', treeDigest: digest('9') } as const
    const sources = (sha256: ReturnType<typeof digest> | null): string[] =>
      dependencies({ ...report, source: { ...base, sha256 } }, SERVICE)
    expect(sources(digest('8'))).toEqual(['source', 'source-tree', 'builder', 'inputs.lock.json'])
    expect(sources(null)).toEqual(['source-tree', 'builder', 'inputs.lock.json'])
  })
})

describe('what cannot be signed', () => {
  it.each([
    ['a builder that is no URI', { ...SERVICE, builderBase: 'our builder' }, goldenReport('reproduced')],
    ['a time that is none', SERVICE, { ...goldenReport('reproduced'), startedAt: 'yesterday' }],
  ])('%s', (_, context, report) => {
    for (const statement of statementsOf(report, context)) expect(() => encodeStatement(statement)).toThrow(failure('predicate-malformed'))
  })

  it('a subject with another digest beside its sha256', () => {
    const statement = reproducedOf(goldenReport('reproduced'), SERVICE)
    const subject = statement.subject.map((one) => ({ ...one, digest: { ...one.digest, sha512: 'ab'.repeat(64) } }))
    expect(() => encodeStatement({ ...statement, subject })).toThrow(failure('statement-malformed'))
  })

  it('a name that would move a terminal is escaped', () => {
    const report = goldenReport('mismatch')
    const claims = report.claims.map((claim) => ({ ...claim, name: '\u001b[2Jimage' }))
    const comparisons = report.comparisons.map((one): VerificationReport['comparisons'][number] =>
      one.claim === null ? one : { ...one, right: null, result: 'missing' },
    )
    const statement = rebuildResultOf(judged({ ...report, claims, comparisons }), SERVICE)
    expect(statement.subject[0]?.name).toBe('\\x1b[2Jimage')
    expect(() => encodeStatement(statement)).not.toThrow()
  })
})
