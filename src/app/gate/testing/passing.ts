import { readFileSync } from 'node:fs'
import path from 'node:path'
import { ReproducedPredicate } from '../../../../attestations/statement/reproduced-predicate.ts'
import { Statement } from '../../../../attestations/statement/statement.ts'
import { Sha256 } from '../../../../verifier/model/digest.ts'
import { type ComposeLint, lintCompose } from '../../compose/lint-compose.ts'
import type { GateFacts, HeldAttestation } from '../facts.ts'
import { POLICY_SCHEMA, Policy } from '../policy.ts'

const FILE = path.join(import.meta.dirname, '../../../../attestations/testdata/reproduced.reproduced.json')
export const STATEMENT = Statement.parse(JSON.parse(readFileSync(FILE, 'utf8')))
export const PREDICATE = ReproducedPredicate.parse(STATEMENT.predicate)

export const digest = (digit: string): Sha256 => Sha256.parse(digit.repeat(64))
/** Of the image's manifest, as the golden statement claims it. */
export const MANIFEST = Sha256.parse('05b3abf2579a5eb66403cd78be557fd860633a1fe2103c7642030defe32c657f')
export const APP_ID = 'ab'.repeat(20)
export const NAME = 'registry.example/acme/app'

export const APP_COMPOSE = JSON.stringify({
  manifest_version: '3',
  name: 'app',
  runner: 'docker-compose',
  kms_enabled: true,
  requirements: { os_version: '>=0.5.6' },
  docker_compose_file: `services:\n  app:\n    image: "${NAME}@sha256:${MANIFEST}"\n`,
})
export const LINT: ComposeLint = lintCompose(Buffer.from(APP_COMPOSE))
export const COMPOSE_HASH = LINT.composeHash ?? digest('0')

export const SIGNED: HeldAttestation = {
  bundle: digest('b'),
  check: {
    verdict: 'verified',
    code: null,
    message: '',
    checks: [],
    statement: STATEMENT,
    signer: { kind: 'key', fingerprint: digest('f') },
    signedAt: null,
  },
}

/** The same attestation with something else in its predicate. */
export function signedWith(change: Partial<ReproducedPredicate>, bundle = 'c'): HeldAttestation {
  return { bundle: digest(bundle), check: { ...SIGNED.check, statement: { ...STATEMENT, predicate: { ...PREDICATE, ...change } } } }
}

/** A policy as a file would say it, under which `FACTS` are allowed. */
export const POLICY = Policy.parse({
  policy: POLICY_SCHEMA,
  name: 'production',
  mode: 'enforce',
  signers: [{ issuer: 'https://issuer.example', name: 'https://rebuild.example/**' }],
  sources: {
    app: {
      repository: 'https://git.example/app/image.git',
      refs: ['refs/heads/main', 'refs/tags/v*'],
      path: 'images/app',
      owners: ['https://git.example/app'],
    },
  },
  images: { [NAME]: { source: 'app' } },
  builders: ['df6b07176a9b17cc4c9afc257bd404732e7d09b76436c7890f7b7be14e579794'],
  tiers: ['bit-exact'],
  attestations: { maxAge: 30 },
  indexes: { maxAge: 1000, suites: ['oldstable', 'oldstable-security'] },
  compose: { deny: ['deny', 'warn'] },
  apps: { [APP_ID]: { images: [NAME], composes: [COMPOSE_HASH], devices: 'any' } },
  osImages: { [digest('d')]: { pinned: 'dstack 0.5.6, checked by hand' } },
  tcb: { statuses: ['UpToDate'] },
})

export const FACTS: GateFacts = {
  now: new Date('2026-11-28T00:00:00Z'),
  images: [{ service: 'app', name: NAME, digest: MANIFEST, attestations: [SIGNED] }],
  app: { id: APP_ID, compose: { hash: COMPOSE_HASH, lint: LINT, admittedBy: null } },
  guest: {
    by: 'kms',
    osImage: { hash: digest('d'), attestations: [] },
    deviceId: 'e'.repeat(64),
    tcb: { status: 'UpToDate', advisories: [] },
  },
}

/** What a KMS posts of the guest in `FACTS`. */
export const BOOT = {
  teeVariant: 'dstack-tdx',
  mrAggregated: digest('1'),
  osImageHash: digest('d'),
  mrSystem: digest('2'),
  appId: APP_ID,
  composeHash: COMPOSE_HASH,
  instanceId: '',
  deviceId: digest('3'),
  keyProviderInfo: '',
  tcbStatus: 'UpToDate',
  advisoryIds: [],
}
