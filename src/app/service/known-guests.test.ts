import { generateKeyPairSync } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { encodeStatement, keySigner, publicGoodSnapshot } from '../../../attestations/index.ts'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { oneChunk } from '../../../verifier/bytes/one-chunk.ts'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { type BootInfo, KmsBootInfo } from '../gate/boot-info.ts'
import { Policy } from '../gate/policy.ts'
import type { LoadedPolicy } from '../gate/read-policy.ts'
import { APP_COMPOSE, BOOT, COMPOSE_HASH, digest, POLICY, PREDICATE, STATEMENT } from '../gate/testing/passing.ts'
import { HeldBundles } from './held-bundles.ts'
import { KnownGuests } from './known-guests.ts'
import { KnownLints } from './known-lints.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signer = keySigner({ privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() })
const START = Date.UTC(2026, 0, 1)
const statement = { ...STATEMENT, predicate: { ...PREDICATE, owner: 'local:alice', finishedAt: new Date(START).toISOString() } }
const bundle = await signer.sign(encodeStatement(statement), { signal: new AbortController().signal, owner: null })
const BUNDLE = digestOf(bundle)
const INFO: BootInfo = KmsBootInfo.parse(BOOT)

function policyOf(cacheSeconds: number): LoadedPolicy {
  const policy = Policy.parse({
    ...POLICY,
    signers: [{ key: publicKey.export({ type: 'spki', format: 'pem' }).toString() }],
    sources: { app: { ...POLICY.sources['app'], owners: ['local:alice'] } },
    attestations: { maxAge: 36_500, cacheSeconds },
  })
  return { policy, sha256: digest(`${cacheSeconds % 10}`) }
}

/** What a service knows, and how often it was asked for. */
class Service {
  at = START
  counts: readonly Sha256[] = [BUNDLE]
  away = false
  asked = 0
  /** Bundles read to be verified. */
  verified = 0
  /** Held, every look at the store waits for it. */
  gate: Promise<void> = Promise.resolve()
  readonly guests: KnownGuests

  constructor() {
    const blobs = new Map<string, string>([
      [BUNDLE, bundle],
      [COMPOSE_HASH, APP_COMPOSE],
    ])
    const open = async (sha256: Sha256) => {
      if (sha256 === BUNDLE) this.verified += 1
      return oneChunk(blobs.get(sha256) ?? '')
    }
    const store = { open } as unknown as ConstructorParameters<typeof HeldBundles>[0]
    const look = async <T>(value: () => T): Promise<T> => {
      await this.gate
      if (this.away) throw new Error('connection refused')
      return value()
    }
    const owner = { id: 'a', kind: 'local', issuer: 'local', subject: 'alice', name: 'alice', createdAt: new Date(START) } as const
    this.guests = new KnownGuests({
      patienceMs: 1000,
      now: () => new Date(this.at),
      trustedRoot: async () => publicGoodSnapshot(),
      lints: new KnownLints(store),
      bundles: new HeldBundles(store),
      reads: {
        composes: {
          isKept: () => look(() => true),
          admittedFor: () => look(() => []),
          ofApp: () => look(() => []),
        },
        attestations: {
          rebuildersOf: () => look(() => [owner]),
          about: () =>
            look(() => {
              this.asked += 1
              return this.counts
            }),
        } as unknown as ConstructorParameters<typeof KnownGuests>[0]['reads']['attestations'],
      },
    })
  }

  async answer(policy: LoadedPolicy, change: Partial<BootInfo> = {}): Promise<'allow' | 'deny'> {
    return (await this.guests.decide(policy, { ...INFO, ...change })).judged
  }
}

describe('what is known about guests', () => {
  let service: Service
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    service = new Service()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('is found out for each question where the policy has nothing kept', async () => {
    for (const number of [1, 2, 3]) {
      expect(await service.answer(policyOf(0))).toBe('allow')
      expect([service.asked, service.verified]).toEqual([number, number])
    }
    service.counts = []
    expect(await service.answer(policyOf(0))).toBe('deny')
  })

  it('is found out once for all guests on images that the policy does not list, which anybody can make up', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    service.gate = promise
    const others = Array.from({ length: 20 }, (_, number) => digestOf(`made up ${number}`))
    const answers = others.map(async (osImageHash) => await service.guests.decide(policyOf(0), { ...INFO, osImageHash }))
    resolve()
    const reasons = (await Promise.all(answers)).map(({ judged, rules }) => [judged, rules.find(({ rule }) => rule === 'os-image')?.reason])
    expect(reasons).toEqual(others.map((hash) => ['deny', `the policy does not list the guest image ${hash}`]))
    // One look that was under way, and one for all who came meanwhile.
    expect(service.verified).toBe(2)
  })

  it('is found out once for all who ask meanwhile, after the last of them asked', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    service.gate = promise
    const first = service.answer(policyOf(0))
    const others = Array.from({ length: 63 }, () => service.answer(policyOf(0)))
    resolve()
    expect(new Set([await first, ...(await Promise.all(others))])).toEqual(new Set(['allow']))
    expect(service.asked).toBe(2)
  })

  it('is kept for as long as the policy says, and no longer, whoever is away', async () => {
    const policy = policyOf(60)
    expect(await service.answer(policy)).toBe('allow')
    service.away = true
    service.at += 59_999
    expect([await service.answer(policy), service.asked, service.verified]).toEqual(['allow', 1, 1])
    service.at += 1
    await expect(service.answer(policy)).rejects.toThrow('connection refused')
    service.away = false
    expect([await service.answer(policy), service.asked, service.verified]).toEqual(['allow', 2, 2])
  })

  it('is no younger than the check of a signature that was kept by itself', async () => {
    const policy = policyOf(60)
    await service.answer(policy)
    service.at += 50_000
    service.guests.forget()
    expect([await service.answer(policy), service.asked, service.verified]).toEqual(['allow', 2, 1])
    service.at += 10_000
    expect([await service.answer(policy), service.asked, service.verified]).toEqual(['allow', 3, 2])
  })

  it('is not believed by a clock that was set back', async () => {
    const policy = policyOf(60)
    await service.answer(policy)
    service.at -= 1
    service.counts = []
    expect(await service.answer(policy)).toBe('deny')
  })

  it('is forgotten when an image may count otherwise, also while that is being found out', async () => {
    const policy = policyOf(60)
    await service.answer(policy)
    service.counts = []
    expect(await service.answer(policy)).toBe('allow')
    service.guests.forget()
    expect(await service.answer(policy)).toBe('deny')
    service.counts = [BUNDLE]
    const { promise, resolve } = Promise.withResolvers<void>()
    service.gate = promise
    const asked = service.answer(policy)
    await new Promise((done) => setImmediate(done))
    service.guests.forget()
    resolve()
    expect(await asked).toBe('allow')
    service.counts = []
    expect(await service.answer(policy)).toBe('deny')
    service.counts = [BUNDLE]
    await service.answer(policy)
    service.away = true
    expect(await service.answer(policy)).toBe('allow')
  })

  it('never leads to a no by itself: before that it is found out once more', async () => {
    const policy = policyOf(60)
    service.counts = []
    expect(await service.answer(policy)).toBe('deny')
    service.counts = [BUNDLE]
    expect(await service.answer(policy)).toBe('allow')
    expect([await service.answer(policy, { tcb: { status: 'OutOfDate', advisories: [] } }), service.asked]).toEqual(['deny', 3])
    expect([await service.answer(policy), service.asked]).toEqual(['allow', 3])
    // What is kept was replaced by what was found out for the question that was denied.
    service.counts = []
    expect(await service.answer(policy, { tcb: { status: 'OutOfDate', advisories: [] } })).toBe('deny')
    expect(await service.answer(policy)).toBe('deny')
  })

  it('is kept for one policy, app, app-compose and guest image alone', async () => {
    const policy = policyOf(60)
    await service.answer(policy)
    service.away = true
    const other = { ...policy, sha256: digest('9') }
    await expect(service.answer(other)).rejects.toThrow('connection refused')
    await expect(service.answer(policy, { composeHash: Sha256.parse('8'.repeat(64)) })).rejects.toThrow('connection refused')
    await expect(service.answer(policy, { osImageHash: Sha256.parse('8'.repeat(64)) })).rejects.toThrow('connection refused')
    expect(await service.answer(policy)).toBe('allow')
  })

  it('is given up on in time, and nobody later waits for what hangs', async () => {
    const policy = policyOf(0)
    service.gate = new Promise(() => {})
    const hanging = service.answer(policy).catch((error: unknown) => error)
    const behind = service.answer(policy)
    await new Promise((done) => setImmediate(done))
    service.gate = Promise.resolve()
    vi.advanceTimersByTime(1000)
    expect(await hanging).toMatchObject({ code: 'answer-late' })
    expect(await behind).toBe('allow')
  })
})
