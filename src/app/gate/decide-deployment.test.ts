import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { encodeStatement, keySigner } from '../../../attestations/index.ts'
import { publicGoodSnapshot } from '../../../attestations/verify/public-good.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { type DecideDeployment, decideDeployment } from './decide-deployment.ts'
import { Policy } from './policy.ts'
import { APP_COMPOSE, APP_ID, digest, MANIFEST, POLICY, STATEMENT } from './testing/passing.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signer = keySigner({ privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() })
const signal = new AbortController().signal
const listed = POLICY.apps[APP_ID]
const policy = Policy.parse({
  ...POLICY,
  signers: [{ key: publicKey.export({ type: 'spki', format: 'pem' }).toString() }],
  attestations: { ...POLICY.attestations, maxAge: 36_500 },
})
const admitting = { ...policy, apps: { [APP_ID]: { ...listed, composes: [], admitters: ['local:alice'], devices: 'any' } } } as Policy

/** Decides by what lies beside the image: a bundle of the signer's, unless it is said otherwise. */
async function decided(change: Partial<DecideDeployment> = {}) {
  const asked: string[] = []
  const bundle = Buffer.from(await signer.sign(encodeStatement(STATEMENT), { signal, owner: null }))
  const ports = {
    now: () => new Date('2026-11-28T00:00:00Z'),
    trustedRoot: async () => await Promise.resolve({ origin: 'snapshot' as const, root: publicGoodSnapshot() }),
    bundlesOf: async ({ digest: of }: { readonly digest: Sha256 }) => {
      asked.push(of)
      return await Promise.resolve({ bundles: [bundle], skipped: [], truncated: false })
    },
  }
  const decision = await decideDeployment(ports, {
    policy: { policy, sha256: digest('9') },
    appCompose: Buffer.from(APP_COMPOSE),
    appId: APP_ID,
    osImageHash: digest('d'),
    deviceId: null,
    bundles: null,
    trustedRoot: { file: null, refresh: false },
    signal,
    ...change,
  })
  return {
    decision: decision.decision,
    rules: decision.rules,
    asked,
    failed: decision.rules.filter(({ result }) => result === 'fail').map(({ rule }) => rule),
  }
}

describe('a deployment', () => {
  it('is allowed by what is attested, and by the guest image that its target names; the platform is the KMS’s to judge', async () => {
    const { decision, rules, asked } = await decided()
    expect([decision, asked]).toEqual(['allow', [MANIFEST]])
    expect(rules.find(({ rule }) => rule === 'tcb')).toMatchObject({
      result: 'skip',
      reason: 'a target does not say the state of the platform',
    })
    expect(rules.find(({ rule }) => rule === 'os-image')).toMatchObject({ result: 'pass' })
  })

  it.each<[string, Partial<DecideDeployment>, readonly string[]]>([
    ['another guest image', { osImageHash: digest('7') }, ['os-image']],
    ['a guest image that nobody names', { osImageHash: null }, ['os-image']],
    ['one byte more', { appCompose: Buffer.from(`${APP_COMPOSE} `) }, ['compose-admitted']],
    ['another app', { appId: 'cd'.repeat(20) }, ['app-listed']],
    ['no attestation', { bundles: [] }, ['attested']],
    ['an app-compose that nobody admitted', { policy: { policy: admitting, sha256: digest('9') } }, ['compose-admitted']],
    [
      'one that a stranger admitted',
      { policy: { policy: admitting, sha256: digest('9') }, admittedBy: 'local:mallory' },
      ['compose-admitted'],
    ],
  ])('is denied with %s', async (_, change, failed) => {
    expect(await decided(change)).toMatchObject({ decision: 'deny', failed })
  })

  it('of an app-compose that somebody admitted who may is allowed', async () => {
    expect(await decided({ policy: { policy: admitting, sha256: digest('9') }, admittedBy: 'local:alice' })).toMatchObject({
      decision: 'allow',
    })
  })

  it('on one of the machines that the app may run on is denied where the target names none, or another', async () => {
    const machines = { ...policy, apps: { [APP_ID]: { ...listed, devices: [digest('e')] } } } as Policy
    const by = { policy: { policy: machines, sha256: digest('9') } }
    expect((await decided(by)).failed).toEqual(['device-admitted'])
    expect((await decided({ ...by, deviceId: digest('1') })).failed).toEqual(['device-admitted'])
    expect((await decided({ ...by, deviceId: digest('e') })).failed).toEqual([])
  })
})
