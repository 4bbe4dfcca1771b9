import { beforeAll, describe, expect, it } from 'vitest'
import { overlapping } from '../../verifier/bytes/testing/overlapping.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { AttestationCheck } from './attestation-check.ts'
import { CHECK_NAMES } from './check.ts'
import { REJECTIONS } from './rejections.ts'
import { askOurs, type Question, questionOf } from './testing/ask.ts'
import { type Bundle, type CaseWorld, caseWorld, pemOf } from './testing/case-world.ts'
import { CASES } from './testing/cases.ts'
import { changed, entryOf, signatureOf, timestampOf } from './testing/change.ts'
import { SIGNER } from './testing/paper-sigstore.ts'
import { parseTrustedRoot } from './trusted-root.ts'
import { verifyAttestation } from './verify-attestation.ts'

let world: CaseWorld
beforeAll(async () => {
  world = await caseWorld()
})

const ask = async (name: string): Promise<Question> => {
  const one = CASES[name]
  if (one === undefined) throw new Error(`there is no case ${name}`)
  return questionOf(await one.make(world), one, world)
}

describe('the table of bundles', () => {
  it.each(Object.entries(CASES))('%s has the answer that the table gives', async (name, { ours }) => {
    const answer = askOurs(await ask(name))
    const failed = answer.checks.filter(({ result }) => result === 'fail')
    const first = failed[0] === undefined ? null : { check: failed[0].name, code: failed[0].code }
    expect([first, answer.verdict, answer.code]).toEqual([ours, ours === null ? 'verified' : 'rejected', ours?.code ?? null])
    // What is not verified is not said.
    expect(answer.statement === null).toBe(ours !== null)
    expect(answer.checks.map((check) => check.name)).toEqual([...CHECK_NAMES])
    expect(AttestationCheck.parse(answer)).toEqual(answer)
  })

  it('has at least 25 bad bundles and each way to sign', () => {
    const rows = Object.values(CASES)
    expect(rows.filter(({ ours }) => ours !== null).length).toBeGreaterThan(60)
    expect(new Set(rows.filter(({ ours }) => ours === null).map(({ signed }) => signed)).size).toBe(4)
  })

  it('says why wherever the answers differ', () => {
    const differing = Object.values(CASES).filter(
      (row) => new Set([row.ours === null, row.cosign === 'accepts', row.sigstoreGo === 'accepts']).size > 1,
    )
    expect(differing.filter(({ why }) => why === undefined).map(({ what }) => what)).toEqual([])
  })

  it('meets every code that a rejection has, but those that only size and form give', () => {
    const met = new Set(Object.values(CASES).map(({ ours }) => ours?.code))
    expect(Object.keys(REJECTIONS).filter((code) => !met.has(code))).toEqual([
      'bundle-too-large',
      'bundle-too-deep',
      'certificate-malformed',
      'certificate-not-for-signing',
    ])
  })
})

describe('an answer', () => {
  it('names who signed, when, and what was not looked at', async () => {
    const { verdict, signer, signedAt, checks, message } = askOurs(await ask('good-rekor1-timestamp'))
    expect([verdict, message, signer]).toEqual(['verified', 'every check that was asked for passed', { kind: 'certificate', ...SIGNER }])
    expect(Math.abs(Date.parse(signedAt ?? '') - Date.now())).toBeLessThan(60_000)
    expect(checks.filter(({ result }) => result !== 'pass')).toEqual([
      { name: 'age', result: 'skip', code: null, message: 'no limit was asked for' },
    ])
  })

  it('skips what a bare key does not have, with the reason', async () => {
    const { checks, signedAt } = askOurs(await ask('good-key'))
    expect(signedAt).toBeNull()
    expect(checks.filter(({ result }) => result === 'skip').map(({ name, message }) => [name, message])).toEqual([
      ['certificate', 'it is signed with a key, and has none'],
      ['time', 'nothing but the signer says when it was signed, and more was not asked for'],
      ['log', 'it is in no transparency log, and that was not asked for'],
      ['age', 'no limit was asked for'],
    ])
  })

  it('says who signed instead, where everything but the name holds', async () => {
    const { signer } = askOurs(await ask('name-other'))
    expect(signer).toEqual({ kind: 'certificate', ...SIGNER, subjectAlternativeName: 'https://mallory.example/rebuilders/alpha' })
    expect(askOurs(await ask('certificate-other-authority')).signer).toBeNull()
  })

  it('takes a pattern for a name only where one is asked for', async () => {
    const question = await ask('good-rekor1-timestamp')
    const under = (subjectAlternativeName: string | { pattern: string }): string | null =>
      askOurs({
        ...question,
        policy: { ...question.policy, signer: { kind: 'certificate', issuer: SIGNER.issuer, subjectAlternativeName } },
      }).code
    expect(under({ pattern: 'https://witness.example/rebuilders/*' })).toBeNull()
    expect(under({ pattern: 'https://witness.example/*' })).toBe('identity-mismatch')
    expect(under('https://witness.example/rebuilders/*')).toBe('identity-mismatch')
    expect(under('.*')).toBe('identity-mismatch')
  })

  it('takes one of several keys, whatever the hint says', async () => {
    const question = await ask('good-key')
    const keys = [pemOf(world.otherKey), pemOf(world.key)]
    expect(askOurs({ ...question, policy: { ...question.policy, signer: { kind: 'key', publicKeys: keys } } }).verdict).toBe('verified')
    const { bundle, ...rest } = question
    const hints = ['', '../../etc/passwd', 'https://mallory.example/key']
    const codes = hints.map((hint) => {
      const text = bundle.toString().replace(/"hint":"[^"]*"/, `"hint":"${hint}"`)
      return askOurs({ ...rest, bundle: Buffer.from(text), policy: { ...rest.policy, signer: { kind: 'key', publicKeys: keys } } }).code
    })
    expect(codes).toEqual([null, 'key-hint-unknown', 'key-hint-unknown'])
  })

  it('counts independent witnesses, and not how often one speaks', async () => {
    const question = await ask('good-rekor1-timestamp')
    const wanted = (thresholds: object): string | null => askOurs({ ...question, policy: { ...question.policy, thresholds } }).code
    expect([wanted({ times: 2 }), wanted({ times: 3 }), wanted({ logEntries: 2 }), wanted({ certificateTimestamps: 2 })]).toEqual([
      null,
      'timestamp-missing',
      'log-entry-missing',
      'certificate-timestamp-missing',
    ])
  })

  it('is as old as the oldest of what is known', async () => {
    const question = await ask('good-rekor1-timestamp')
    const asked = (maxAgeSeconds: number): string | null => askOurs({ ...question, policy: { ...question.policy, maxAgeSeconds } }).code
    const finishedAt = Date.parse(world.statements.reproduced.predicate.finishedAt)
    const age = Math.ceil((question.now.getTime() - finishedAt) / 1000)
    expect([asked(age), asked(age - 2)]).toEqual([null, 'statement-expired'])
    // A bare key has no time but its own word.
    const bare = await ask('good-key')
    expect(askOurs({ ...bare, policy: { ...bare.policy, maxAgeSeconds: 10 * age } }).code).toBe('timestamp-missing')
  })
})

describe('a question', () => {
  it('is not answered where it names no signer', async () => {
    const { bundle, policy } = await ask('good-rekor1-timestamp')
    const ways: unknown[] = [
      undefined,
      null,
      {},
      { kind: 'certificate' },
      { kind: 'certificate', ...SIGNER, issuer: '' },
      { kind: 'certificate', ...SIGNER, subjectAlternativeName: '' },
      { kind: 'certificate', ...SIGNER, subjectAlternativeName: /.*/ },
      { kind: 'certificate', ...SIGNER, subjectAlternativeName: { pattern: '' } },
      { kind: 'key', publicKeys: [] },
      { kind: 'key', publicKeys: 'any' },
      { kind: 'anybody' },
    ]
    const codes = ways.map((signer) => codeOf(() => askWith({ bundle, policy: { ...policy, signer: signer as never } })))
    expect(codes).toEqual(ways.map(() => 'policy-identity-missing'))
  })

  it('is not answered where a certificate would need no time', async () => {
    const { bundle, policy } = await ask('good-rekor1-timestamp')
    const with_ = (change: object): string => codeOf(() => askWith({ bundle, policy: { ...policy, ...change } }))
    expect(with_({ thresholds: { times: 0 } })).toBe('policy-time-needed')
    expect([-1, 0.5, Number.NaN, 1e9].map((logEntries) => with_({ thresholds: { logEntries } }))).toEqual(
      Array(4).fill('policy-threshold-malformed'),
    )
    expect([0, -1, 0.5, Number.NaN].map((maxAgeSeconds) => with_({ maxAgeSeconds }))).toEqual(Array(4).fill('policy-age-malformed'))
  })

  it('needs a trusted root wherever the bundle has witnesses', async () => {
    const rootless = async (name: string): Promise<string> => {
      const { bundle, policy } = await ask(name)
      return codeOf(() => verifyAttestation({ bundle, policy, trustedRoot: null, now: new Date() }))
    }
    expect(await Promise.all(['good-key', 'good-key-timestamp', 'good-key-rekor1', 'good-rekor1'].map(rootless))).toEqual([
      'verified',
      'trusted-root-missing',
      'trusted-root-missing',
      'trusted-root-missing',
    ])
  })

  it('takes a good public key and nothing else for one', async () => {
    const { bundle, policy } = await ask('good-key')
    const { privateKey } = world.key
    const keys = ['', 'key.pub', privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, pemOf(world.key).replace('M', '!')]
    expect(keys.map((pem) => codeOf(() => askWith({ bundle, policy: { ...policy, signer: { kind: 'key', publicKeys: [pem] } } })))).toEqual(
      keys.map(() => 'public-key-malformed'),
    )
  })

  it('is answered by the size of each part before that is parsed', async () => {
    const padded = (length: number): string => Buffer.alloc(length, 4).toString('base64')
    const certified = (await world.keyless()) as Bundle
    const keyed = (await world.keyed({ timestamps: 1 })) as Bundle
    const bundles = [
      changed(certified, (copy) => Object.assign(copy.verificationMaterial, { certificate: { rawBytes: padded((32 << 10) + 3) } })),
      changed(keyed, (copy) => Object.assign(timestampOf(copy), { signedTimestamp: padded((16 << 10) + 3) })),
      changed(keyed, (copy) => {
        const tokens = Array.from({ length: 9 }, (_, index) => ({ signedTimestamp: padded(1000 + index) }))
        copy.verificationMaterial.timestampVerificationData = { rfc3161Timestamps: tokens }
      }),
      changed(keyed, (copy) => Object.assign(signatureOf(copy), { sig: padded((16 << 10) + 3) })),
      changed(certified, (copy) => Object.assign(entryOf(copy), { canonicalizedBody: padded((1 << 20) + 3) })),
    ]
    const { policy } = await ask('good-key')
    const signer = { kind: 'certificate', ...SIGNER } as const
    const asked = [policy, policy, policy, policy, policy].map((one, at) => (at === 0 || at === 4 ? { ...one, signer } : one))
    expect(
      bundles.map((bundle, at) => codeOf(() => askWith({ bundle: Buffer.from(JSON.stringify(bundle)), policy: asked[at] ?? policy }))),
    ).toEqual(bundles.map(() => 'bundle-malformed'))
  })

  it('is answered where a parser would not come back', async () => {
    const endless = overlapping().toString('base64')
    const certified = (await world.keyless()) as Bundle
    const keyed = (await world.keyed({ timestamps: 1 })) as Bundle
    const { verificationMaterial } = certified
    const leaf = 'certificate' in verificationMaterial ? verificationMaterial.certificate : { rawBytes: '' }
    const { tlogEntries, timestampVerificationData } = verificationMaterial
    const bundles = [
      changed(keyed, (copy) => Object.assign(timestampOf(copy), { signedTimestamp: endless })),
      changed(certified, (copy) => Object.assign(copy.verificationMaterial, { certificate: { rawBytes: endless } })),
      changed(certified, (copy) => {
        copy.mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.2'
        const x509CertificateChain = { certificates: [leaf, { rawBytes: endless }] }
        copy.verificationMaterial = { x509CertificateChain, tlogEntries, timestampVerificationData }
      }),
    ]
    const { policy } = await ask('good-key')
    const codes = bundles.map((bundle, at) =>
      codeOf(() => {
        const signer = at === 0 ? policy.signer : ({ kind: 'certificate', ...SIGNER } as const)
        return askWith({ bundle: Buffer.from(JSON.stringify(bundle)), policy: { ...policy, signer } })
      }),
    )
    expect(codes).toEqual(bundles.map(() => 'bundle-malformed'))
  })

  it('is answered by size and depth before anything is read', async () => {
    const { policy } = await ask('good-key')
    const bundles = [
      Buffer.alloc((16 << 20) + 1, ' '),
      Buffer.from('['.repeat(100) + ']'.repeat(100)),
      Buffer.from('null'),
      Buffer.of(0xff),
      Buffer.alloc(0),
    ]
    expect(bundles.map((bundle) => codeOf(() => askWith({ bundle, policy })))).toEqual([
      'bundle-too-large',
      'bundle-too-deep',
      'bundle-malformed',
      'bundle-malformed',
      'bundle-malformed',
    ])
  })
})

function askWith(o: Pick<Parameters<typeof verifyAttestation>[0], 'bundle' | 'policy'>): AttestationCheck {
  const trustedRoot = parseTrustedRoot(Buffer.from(JSON.stringify(world.sigstore.root())))
  return verifyAttestation({ ...o, trustedRoot, now: new Date() })
}

function codeOf(work: () => AttestationCheck): string {
  try {
    return work().code ?? 'verified'
  } catch (error) {
    if (error instanceof Failure) return error.code
    throw error
  }
}
