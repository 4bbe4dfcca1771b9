import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lintCompose } from '../compose/lint-compose.ts'
import { decideGate, reasonOf } from './decide-gate.ts'
import { Decision } from './decision.ts'
import type { GateFacts, HeldAttestation } from './facts.ts'
import type { Policy } from './policy.ts'
import { GATE_RULES } from './rules/all.ts'
import { APP_ID, COMPOSE_HASH, digest, FACTS, LINT, MANIFEST, NAME, POLICY, PREDICATE, SIGNED, signedWith } from './testing/passing.ts'

const decide = (policy: Policy, facts: GateFacts): Decision => Decision.parse(decideGate({ policy, sha256: digest('9') }, facts))
const failing = (policy: Policy, facts: GateFacts): string[] => [
  ...new Set(decide(policy, facts).rules.flatMap(({ rule, result }) => (result === 'fail' ? [rule] : []))),
]

const [image] = FACTS.images
const app = FACTS.app
const guest = FACTS.guest
if (image === undefined || app === null || guest === null) throw new Error('the facts are whole')
const source = POLICY.sources['app']
const listed = POLICY.apps[APP_ID]
if (source === undefined || listed === undefined) throw new Error('the policy is whole')
if (PREDICATE.source.kind !== 'git') throw new Error('the golden source is git')

const attested = (...attestations: HeldAttestation[]): Partial<GateFacts> => ({ images: [{ ...image, attestations }] })
const ofCompose = (change: object): Partial<GateFacts> => ({ app: { ...app, compose: { ...app.compose, ...change } } })
const ofGuest = (change: object): Partial<GateFacts> => ({ guest: { ...guest, ...change } })
const git = PREDICATE.source
const rejected: HeldAttestation = { ...SIGNED, check: { ...SIGNED.check, verdict: 'rejected', code: 'signature-invalid', statement: null } }

/** What is other than it should be, the facts or the policy with it, and the rules that then fail. */
const DENIED: readonly (readonly [what: string, facts: Partial<GateFacts>, policy: Partial<Policy>, rules: readonly string[]])[] = [
  ['another app', { app: { ...app, id: 'cd'.repeat(20) } }, {}, ['app-listed']],
  ['no app in the policy', {}, { apps: {} }, ['app-listed']],
  ['another compose', ofCompose({ hash: digest('7') }), {}, ['compose-admitted', 'compose-known']],
  ['a compose that nobody admitted', {}, { apps: { [APP_ID]: { ...listed, composes: [] } } }, ['compose-admitted']],
  [
    'a compose that a stranger admitted',
    ofCompose({ admittedBy: 'mallory' }),
    { apps: { [APP_ID]: { ...listed, composes: [], admitters: ['alice'] } } },
    ['compose-admitted'],
  ],
  ['a compose whose bytes are not at hand', ofCompose({ lint: null }), {}, ['compose-known']],
  ['bytes of another compose', ofCompose({ lint: { ...LINT, composeHash: digest('7') } }), {}, ['compose-known']],
  ['a compose that the linter refuses', ofCompose({ lint: { ...LINT, findings: refusedFindings() } }), {}, ['compose-clean']],
  ['no image', { images: [] }, {}, ['image-pinned']],
  ['an image by a tag', { images: [{ ...image, digest: null }] }, {}, ['image-pinned', 'attested']],
  ['an image without a name', { images: [{ ...image, name: null }] }, {}, ['image-pinned', 'image-listed', 'app-images']],
  ['an image that is not listed', { images: [{ ...image, name: 'registry.example/mallory/app' }] }, {}, ['image-listed', 'app-images']],
  [
    'a second image that is not listed',
    { images: [image, { ...image, service: 'b', name: 'registry.example/b' }] },
    {},
    ['image-listed', 'app-images'],
  ],
  [
    'an image of another app',
    {},
    { images: { ...POLICY.images, other: { source: 'app' } }, apps: { [APP_ID]: { ...listed, images: ['other'] } } },
    ['app-images'],
  ],
  ['a name that every object has', { images: [{ ...image, name: 'constructor' }] }, {}, ['image-listed', 'app-images']],
  ['no attestation', attested(), {}, ['attested']],
  ['a signature that does not hold', attested(rejected), {}, ['attested']],
  ['an attestation of another image', { images: [{ ...image, digest: digest('1') }] }, {}, ['attested']],
  [
    'a statement of another kind',
    attested({ ...SIGNED, check: { ...SIGNED.check, statement: { ...statement(), predicateType: 'bitwitness:rebuild-result/v1' } } }),
    {},
    ['attested'],
  ],
  [
    'a look-alike repository',
    attested(signedWith({ source: { ...git, url: 'https://git.examp1e/app/image.git' } })),
    {},
    ['source-admitted'],
  ],
  [
    'the same repository, written otherwise',
    attested(signedWith({ source: { ...git, url: 'https://git.example/app/image' } })),
    {},
    ['source-admitted'],
  ],
  ['a fork’s commit', attested(signedWith({ source: { ...git, ref: null } })), {}, ['source-admitted']],
  ['another branch', attested(signedWith({ source: { ...git, ref: 'refs/heads/evil' } })), {}, ['source-admitted']],
  [
    'a branch that only looks like a tag',
    attested(signedWith({ source: { ...git, ref: 'refs/tags/v1/../../heads/x' } })),
    {},
    ['source-admitted'],
  ],
  ['another folder', attested(signedWith({ source: { ...git, path: 'evil' } })), {}, ['source-admitted']],
  [
    'an archive',
    attested(
      signedWith({ source: { kind: 'archive', name: 'app.tar', sha256: digest('1'), path: 'images/app', treeDigest: git.treeDigest } }),
    ),
    {},
    ['source-admitted'],
  ],
  ['a stranger who had it rebuilt', attested(signedWith({ owner: 'https://git.example/mallory' })), {}, ['owner-admitted']],
  ['nobody who had it rebuilt', attested(signedWith({ owner: null })), {}, ['owner-admitted']],
  ['another builder', attested(signedWith({ builder: { ...PREDICATE.builder, digest: digest('1') } })), {}, ['builder-admitted']],
  [
    'another builder in one attempt',
    attested(signedWith({ attempts: PREDICATE.attempts.map((one, index) => (index === 1 ? { ...one, builder: digest('1') } : one)) })),
    {},
    ['builder-admitted'],
  ],
  [
    'a claim of another kind',
    attested(signedWith({ claims: PREDICATE.claims.map((claim) => ({ ...claim, kind: 'file' as const })) })),
    {},
    ['tier-admitted'],
  ],
  ['an attempt that gave other bits', attested(signedWith({ claims: otherBits() })), {}, ['tier-admitted']],
  ['one attempt', attested(signedWith({ attempts: PREDICATE.attempts.slice(0, 1) })), {}, ['attempts-enough']],
  ['an old rebuild', { now: new Date('2027-01-30T00:00:00Z') }, {}, ['attestation-fresh']],
  ['a clock that is behind', { now: new Date('2026-11-20T00:00:00Z') }, {}, ['attestation-fresh']],
  ['an old index', {}, { indexes: { ...POLICY.indexes, maxAge: 30 } }, ['indexes-fresh']],
  ['a suite that was not used', {}, { indexes: { ...POLICY.indexes, suites: ['oldstable-updates'] } }, ['indexes-fresh']],
  [
    'an index without a date',
    attested(signedWith({ inputs: { ...PREDICATE.inputs, indexes: PREDICATE.inputs.indexes.map((index) => ({ ...index, date: '' })) } })),
    {},
    ['indexes-fresh'],
  ],
  ['another guest image', ofGuest({ osImage: { hash: digest('1'), attestations: [] } }), {}, ['os-image']],
  ['a guest image that is not said', ofGuest({ osImage: null }), {}, ['os-image']],
  ['a guest image that nobody rebuilt', {}, { osImages: { [digest('d')]: { source: 'app' } } }, ['os-image']],
  ['a platform out of date', ofGuest({ tcb: { status: 'OutOfDate', advisories: [] } }), {}, ['tcb']],
  ['an advisory', ofGuest({ tcb: { status: 'UpToDate', advisories: ['INTEL-SA-1'] } }), {}, ['tcb']],
  ['a platform of which nothing is said', ofGuest({ tcb: null }), {}, ['tcb']],
  ['a policy without platforms', {}, { tcb: null }, ['tcb']],
  ['another machine', {}, { apps: { [APP_ID]: { ...listed, devices: ['1'.repeat(64)] } } }, ['device-admitted']],
  [
    'a machine that is not said',
    ofGuest({ deviceId: null }),
    { apps: { [APP_ID]: { ...listed, devices: ['1'.repeat(64)] } } },
    ['device-admitted'],
  ],
]

function statement() {
  if (SIGNED.check.statement === null) throw new Error('it is verified')
  return SIGNED.check.statement
}

function otherBits(): typeof PREDICATE.claims {
  return PREDICATE.claims.map((claim) => ({
    ...claim,
    observed: claim.observed.map((one, index) => (index === 1 ? { ...one, result: 'different' as const, tier: null } : one)),
  }))
}

function refusedFindings() {
  return lintCompose(Buffer.from('services:\n  app:\n    image: app\n    privileged: true\n    command: [sh]\n')).findings
}

describe('the gate', () => {
  it('allows what the policy asks for, and says what that rests on', () => {
    const decision = decide(POLICY, FACTS)
    expect(decision).toMatchObject({
      decision: 'allow',
      judged: 'allow',
      app: { id: APP_ID, composeHash: COMPOSE_HASH },
      images: [{ service: 'app', name: NAME, digest: MANIFEST }],
      attestations: [SIGNED.bundle],
    })
    expect(decision.rules.map(({ result }) => result)).not.toContain('fail')
    expect(reasonOf(decision)).toBe('every rule passes')
  })

  it.each(DENIED.map(([what, facts, policy, rules]) => ({ what, facts, policy, rules })))(
    'denies $what, by $rules',
    ({ facts, policy, rules }) => {
      const changed = { ...POLICY, ...policy }
      expect(failing(changed, { ...FACTS, ...facts })).toEqual(rules)
      const { decision, judged } = decide(changed, { ...FACTS, ...facts })
      expect([decision, judged]).toEqual(['deny', 'deny'])
    },
  )

  it('asks every rule of something that it denies', () => {
    const covered = new Set(DENIED.flatMap(([, , , rules]) => rules))
    expect([...covered].toSorted()).toEqual(GATE_RULES.map(({ id }) => id).toSorted())
  })

  it('says what is not in the policy, by values of ours, and no text of whoever asks', () => {
    const reasonFor = (rule: string, change: object): string | undefined =>
      decide(POLICY, { ...FACTS, ...ofGuest(change) }).rules.find((one) => one.rule === rule)?.reason
    expect(reasonFor('os-image', { osImage: { hash: digest('1'), attestations: [] } })).toContain(digest('1'))
    expect(reasonFor('os-image', { by: 'target', osImage: null })).toContain('--os-image-hash')
    expect(reasonFor('os-image', { osImage: null })).not.toContain('--os-image-hash')
    expect(reasonFor('tcb', { tcb: { status: 'OutOfDate', advisories: [] } })).toContain('it is OutOfDate, and the policy takes UpToDate')
    expect(reasonFor('tcb', { tcb: { status: 'their words', advisories: [] } })).toContain('it is none that is known')
  })

  it('takes nothing together from two attestations of which neither holds', () => {
    const otherSource = signedWith({ source: { ...git, ref: null } }, '1')
    const otherBuilder = signedWith({ builder: { ...PREDICATE.builder, digest: digest('1') } }, '2')
    expect(failing(POLICY, { ...FACTS, ...attested(otherSource, otherBuilder) })).toEqual(['builder-admitted'])
    expect(decide(POLICY, { ...FACTS, ...attested(otherSource, otherBuilder) }).attestations).toEqual([])
  })

  it('is not deterred by others that lie beside the one that holds, in any order', () => {
    const others = [rejected, signedWith({ owner: null }, '1'), signedWith({ source: { ...git, ref: null } }, '2')]
    fc.assert(
      fc.property(fc.shuffledSubarray([SIGNED, ...others], { minLength: 1 }), (attestations) => {
        const { judged, attestations: rested } = decide(POLICY, { ...FACTS, ...attested(...attestations) })
        expect([judged, rested]).toEqual(attestations.includes(SIGNED) ? ['allow', [SIGNED.bundle]] : ['deny', []])
      }),
    )
  })

  it('allows what somebody admitted who may', () => {
    const apps = { [APP_ID]: { ...listed, composes: [], admitters: ['https://git.example/*'] } }
    const admitted = ofCompose({ admittedBy: 'https://git.example/app' })
    expect(failing({ ...POLICY, apps }, { ...FACTS, ...admitted })).toEqual([])
    // A pattern ends where a name ends.
    expect(failing({ ...POLICY, apps }, { ...FACTS, ...ofCompose({ admittedBy: 'https://git.example/app/x' }) })).toEqual([
      'compose-admitted',
    ])
  })

  it('allows a finding by the value that the policy names, and no other value of the same rule', () => {
    const lint = lintCompose(
      Buffer.from(`services:\n  app:\n    image: "${NAME}@sha256:${MANIFEST}"\n    command: [a]\n    entrypoint: [b]\n`),
    )
    const facts = { ...FACTS, ...ofCompose({ lint: { ...lint, composeHash: COMPOSE_HASH } }) }
    const [one] = lint.findings
    if (one?.sha256 === null || one === undefined) throw new Error('it finds something')
    const allow = [{ rule: one.rule, sha256: one.sha256 }]
    const of = (policy: Policy) => decide(policy, facts).rules.filter(({ rule, result }) => rule === 'compose-clean' && result === 'fail')
    expect(of(POLICY)).toHaveLength(2)
    expect(of({ ...POLICY, compose: { ...POLICY.compose, allow } })).toHaveLength(1)
    expect(
      of({ ...POLICY, compose: { ...POLICY.compose, allow: [{ ...allow[0], rule: 'environment', sha256: one.sha256 }] } }),
    ).toHaveLength(2)
    expect(of({ ...POLICY, compose: { ...POLICY.compose, deny: ['deny'] } })).toHaveLength(0)
  })

  it('observes without denying, and says what it would have denied', () => {
    const decision = decide({ ...POLICY, mode: 'observe' }, { ...FACTS, ...attested() })
    expect([decision.decision, decision.judged, decision.mode]).toEqual(['allow', 'deny', 'observe'])
    expect(reasonOf(decision)).toBe('attested (service app): nothing is attested of it')
  })

  it('judges an image alone, without an app or a guest', () => {
    expect(failing(POLICY, { ...FACTS, app: null, guest: null })).toEqual([])
    expect(failing(POLICY, { ...FACTS, app: null, guest: null, ...attested() })).toEqual(['attested'])
  })

  it('judges a guest image by a rebuild of its own', () => {
    const hash = digest('d')
    const os = signedWith({ claims: PREDICATE.claims.map((claim) => ({ ...claim, kind: 'dstack-os-image' as const, sha256: hash })) })
    const about = {
      ...os,
      check: {
        ...os.check,
        statement: { ...statement(), subject: [{ name: 'os', digest: { sha256: hash } }], predicate: os.check.statement?.predicate ?? {} },
      },
    }
    const policy = { ...POLICY, osImages: { [hash]: { source: 'app' } } }
    expect(failing(policy, { ...FACTS, ...ofGuest({ osImage: { hash, attestations: [about] } }) })).toEqual([])
    expect(failing(policy, { ...FACTS, ...ofGuest({ osImage: { hash, attestations: [SIGNED] } }) })).toEqual(['os-image'])
  })
})
