import { chmod, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeployDocument } from '../src/app/deploy/deploy-document.ts'
import type { VerificationAnswer } from '../src/client/answers.ts'
import type { SubmissionDocument } from '../src/client/submission-document.ts'
import { digestOf } from '../verifier/bytes/digest-of.ts'
import { writeFlippedImage } from './flipped-image.ts'
import { APP_ID, type Asked, GateQuestions, OTHER_APP } from './gate-questions.ts'
import type { ComposeFile, GatedApp } from './gated-app.ts'
import { ServiceDeployments } from './service-deployments.ts'

const OTHER_DIGEST = 'e'.repeat(64)

let scene: GatedApp
let ask: GateQuestions
let deployments: ServiceDeployments
let tokens: Record<'publisher' | 'stranger' | 'deployer' | 'orderer' | 'mallory', string>
let compose: ComposeFile
let good: SubmissionDocument
let bundle: string

beforeAll(async () => {
  ask = await GateQuestions.open()
  scene = ask.scene
  compose = ask.compose
  deployments = new ServiceDeployments(scene.service, ask.host)
  tokens = {
    publisher: await scene.token('publisher', 'submit', 'admit'),
    stranger: await scene.token('stranger', 'submit'),
    deployer: await scene.token('deployer', 'admit'),
    orderer: await scene.token('deployer', 'deploy'),
    mallory: await scene.token('mallory', 'admit'),
  }
}, 900_000)
afterAll(async () => {
  await ask?.[Symbol.asyncDispose]()
})

/** The gate says no, for these rules, to whoever asks it, and to a deployment, of which nothing is started and nothing is left. */
async function expectDenied(o: Asked, rules: readonly string[]): Promise<void> {
  expect(await ask.gate(o)).toEqual({ code: 1, failed: rules })
  expect(await ask.deploy(o)).toEqual({ code: 1, verdict: 'denied', failed: rules, started: 0, left: 0 })
}

type SignedBundle = {
  readonly dsseEnvelope: { readonly payload: string; readonly signatures: readonly [{ readonly sig: string }] }
}

/** Bytes with the last hexadecimal digit of what a pattern captures being another. */
function changed(bytes: Buffer, pattern: RegExp): Buffer {
  const text = bytes.toString('utf8')
  const [whole, captured = ''] = pattern.exec(text) ?? []
  if (whole === undefined) throw new Error('there is nothing to change')
  return Buffer.from(
    text.replace(
      captured,
      captured.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
    ),
  )
}

const ALLOWED = { allowed: true, reason: '', gateway: true }
const denied = (reason: string) => ({ allowed: false, reason: expect.stringMatching(new RegExp(`^${reason}`)), gateway: false })

describe('an app at the gate', () => {
  it('is denied where a look-alike repository had the same bits rebuilt', async () => {
    const lookAlike = await scene.lookAlike()
    const { code, document } = await scene.submit(lookAlike, { token: tokens.publisher })
    expect([code, document.verdict]).toEqual([0, 'reproduced'])
    good = document
    await ask.follow(good)
    await scene.attach(await scene.bundle(document, 'look-alike'))
    await expectDenied({}, ['source-admitted'])
    expect(await scene.admit(compose, APP_ID, tokens.deployer)).toBe(201)
    expect(await ask.webhooks()).toEqual(denied(String.raw`attested \(service simple-app\): nothing is attested of it`))
  })

  it('is denied where only a stranger had its repository rebuilt', async () => {
    const { code, document } = await scene.submit(scene.app, { token: tokens.stranger })
    expect([code, document.verdict]).toEqual([0, 'reproduced'])
    await scene.attach(await scene.bundle(document, 'stranger'))
    await expectDenied({}, ['owner-admitted'])
    expect(await ask.webhooks()).toEqual(denied(String.raw`owner-admitted \(service simple-app\)`))
  })

  it('is allowed once its publisher had it rebuilt', async () => {
    const { code, document } = await scene.submit(scene.app, { token: tokens.publisher, args: ['--max-age', '1h'] })
    expect([code, document]).toMatchObject([0, { verdict: 'reproduced', tier: 'bit-exact', joined: false }])
    good = document
    bundle = await scene.bundle(document, 'reproduced')
    await scene.attach(bundle)
    await ask.follow(good)
    expect(await ask.gate()).toEqual({ code: 0, failed: [] })
    expect(await ask.webhooks()).toEqual(ALLOWED)
  })

  it('is started then, gets keys and traffic, and answers at its live URL', async () => {
    let document: DeployDocument | undefined
    const deployed = await ask.deploy({}, (ended) => {
      document = ended
    })
    expect(deployed).toEqual({ code: 0, verdict: 'running', failed: [], started: 1, left: 1 })
    const live = document?.deployment?.events.findLast(({ kind }) => kind === 'live')
    expect([document?.url, live]).toMatchObject([
      ask.host.gateway.url(APP_ID, { port: 3000 }),
      {
        answers: [
          { path: '/', status: 200 },
          { path: '/health', status: 200 },
        ],
      },
    ])
    const [guest] = ask.host.vmm.present
    expect([guest?.bootProgress, guest?.configuration.compose_file]).toEqual(['done', compose.bytes.toString('utf8')])
  })

  it('goes from its build to its live URL by one command, and again by none but that', async () => {
    const { code, document } = await ask.deployBuild(tokens.publisher)
    expect([code, document]).toMatchObject([
      0,
      {
        verdict: 'running',
        pushed: { image: `${scene.name()}@sha256:${scene.manifest}` },
        verification: { verdict: 'reproduced', tier: 'bit-exact' },
        admission: { app: APP_ID, composeHash: compose.hash, admitted: true },
        url: ask.host.gateway.url(APP_ID, { port: 3000 }),
      },
    ])
    const started = ask.host.vmm.everStarted
    const again = await ask.deployBuild(tokens.publisher)
    expect([again.code, again.document.deployment, ask.host.vmm.everStarted]).toEqual([0, document.deployment, started])
    // From here on what was signed last is what the service goes by.
    const verification = JSON.parse((await scene.service.get(`v1/verifications/${document.verification?.id}`)).body) as VerificationAnswer
    bundle = await scene.bundle({ verification }, 'one-command')
  })

  it('is started by the service as well, for whom its operator lets deploy', async () => {
    const none = { failed: null, state: null, started: 0, left: 0 }
    expect(await deployments.order(compose, 'by-service', tokens.deployer)).toEqual({ ...none, status: 403 })
    expect(await deployments.order(compose, 'by-service', tokens.orderer)).toEqual({
      status: 202,
      state: 'running',
      failed: [],
      started: 1,
      left: 1,
    })
  })

  it('is simulated, to whoever looks at it, and to the service', async () => {
    const { code, document } = await ask.inspect()
    expect([code, document.verdict]).toEqual([3, 'simulated'])
    expect(document.lines.filter(({ status }) => status === 'fail')).toEqual([])
    const passed = document.lines.flatMap(({ id, status }) => (status === 'pass' ? [id] : []))
    expect(passed).toEqual(
      expect.arrayContaining(['health', 'quote-signature', 'boot-measurement', 'app-id', 'compose-hash', 'image', 'policy']),
    )
    expect(await deployments.observed('simulated')).toMatchObject({ app: APP_ID, code: null, url: document.url })
  })
})

describe('the same app is denied', () => {
  it('with one byte changed in the image', async () => {
    const published = path.dirname(scene.app.image)
    const flipped = path.join(scene.folder, 'flipped')
    const digest = await writeFlippedImage(published, flipped, 'Deterministic build practice app')
    await scene.push(flipped)
    const file = await scene.compose('flipped-deployment', digest)
    await ask.follow(good, {}, [compose.hash, file.hash])
    expect(await scene.admit(file, APP_ID, tokens.deployer)).toBe(201)
    await expectDenied({ file }, ['attested'])
    // What is attested of the other image says nothing of this one, whoever brings it.
    await expectDenied({ file, bundle }, ['attested'])
    expect(await deployments.order(file, 'flipped', tokens.orderer)).toEqual({
      status: 202,
      state: 'denied',
      failed: ['attested'],
      started: 0,
      left: 0,
    })
    expect(await ask.webhooks({ composeHash: file.hash })).toEqual(denied('attested'))
  })

  it('with one byte changed in its app-compose', async () => {
    const bytes = Buffer.from(compose.bytes.toString('utf8').replace('3000:3000', '3001:3000'))
    const file = await scene.composeOf('changed-compose.json', bytes)
    expect(bytes.equals(compose.bytes)).toBe(false)
    await ask.follow(good)
    await expectDenied({ file }, ['compose-admitted'])
    expect(await ask.webhooks({ composeHash: file.hash })).toEqual(denied('compose-admitted'))
    // Who may not admit changes nothing by admitting it, as whoever deploys with a token does.
    expect(await ask.deploy({ file, token: tokens.mallory })).toEqual({
      code: 1,
      verdict: 'denied',
      failed: ['compose-admitted'],
      started: 0,
      left: 0,
    })
    expect(await ask.webhooks({ composeHash: file.hash })).toEqual(
      denied(String.raw`compose-admitted \(compose\): who admitted it may not`),
    )
  })

  it('with one byte changed in the lock of its inputs', async () => {
    const lock = await scene.write('other.lock.json', changed(await readFile(scene.app.lock), /"sha256": "([0-9a-f]{64})"/))
    const { code, document } = await scene.submit(scene.app, { token: tokens.publisher, lock })
    expect([code, document.verdict, document.verification.attestations]).toEqual([3, 'undecided', []])
  })

  it('with one byte changed in what was signed: its signature, and the lock that it names', async () => {
    const signed = JSON.parse(await readFile(bundle, 'utf8')) as SignedBundle
    const { dsseEnvelope: envelope } = signed
    const other = async (name: string, change: Partial<SignedBundle['dsseEnvelope']>): Promise<string> =>
      await scene.write(`${name}.sigstore.json`, JSON.stringify({ ...signed, dsseEnvelope: { ...envelope, ...change } }))
    const [first] = envelope.signatures
    const sig = Buffer.from(first.sig, 'base64')
    sig.writeUInt8((sig.at(-1) ?? 0) ^ 1, sig.length - 1)
    const statement = Buffer.from(envelope.payload, 'base64')
    const payload = changed(statement, new RegExp(`(${good.report?.lock})`)).toString('base64')
    expect(payload).not.toBe(envelope.payload)
    for (const file of [
      await other('signature', { signatures: [{ ...first, sig: sig.toString('base64') }] }),
      await other('lock', { payload }),
    ])
      await expectDenied({ bundle: file }, ['attested'])
    // The same in what the service itself keeps.
    const digest = digestOf(await readFile(bundle))
    const kept = path.join(scene.home, 'blobs', 'sha256', digest.slice(0, 2), digest)
    await chmod(kept, 0o600)
    await writeFile(kept, JSON.stringify({ ...signed, dsseEnvelope: { ...envelope, payload } }))
    expect(await ask.webhooks()).toEqual(denied('it could not be found out'))
    await writeFile(kept, await readFile(bundle))
    expect(await ask.webhooks()).toEqual(ALLOWED)
  })

  it('with one byte changed in the policy: in the repository, and where it is no policy any more', async () => {
    const repository = `file://${scene.app.repository}`
    const source = { refs: ['refs/heads/main'], owners: ['local:publisher'] }
    await ask.follow(good, { sources: { app: { ...source, repository: repository.replace(/.$/, 'h') } } })
    await expectDenied({}, ['source-admitted'])
    expect(await ask.webhooks()).toEqual(denied('attested'))
    await ask.follow(good)
    const text = await readFile(ask.policy, 'utf8')
    await scene.policy(text.replace('sources:', 'sourcez:'))
    expect(await ask.webhooks()).toEqual(denied('the policy cannot be followed'))
    await scene.policy(text.replace('sources:', 'sourcez:'), 'asked')
    const { code, stdout } = await scene.cli(['gate', '--policy', ask.policy, '--app-compose', compose.file, '--app-id', APP_ID, '--json'])
    expect([code, JSON.parse(stdout)]).toMatchObject([3, { code: 'policy-invalid' }])
    const calls = ask.host.vmm.calls.length
    const deployed = await scene.cli([...(await ask.deployWords({})), '--json'], {})
    expect([deployed.code, JSON.parse(deployed.stdout), ask.host.vmm.calls.length]).toMatchObject([3, { code: 'policy-invalid' }, calls])
  })

  it('as another app, that the policy knows or not', async () => {
    await ask.follow(good)
    await expectDenied({ appId: OTHER_APP }, ['app-listed'])
    expect(await ask.webhooks({ appId: OTHER_APP })).toEqual(denied('app-listed'))
    const listed = { images: [scene.name()], admitters: ['local:deployer'], devices: 'any' }
    await ask.follow(good, { apps: { [APP_ID]: { ...listed, composes: [compose.hash] }, [OTHER_APP]: listed } })
    await expectDenied({ appId: OTHER_APP }, ['compose-admitted'])
    expect(await ask.webhooks({ appId: OTHER_APP })).toEqual(denied('compose-admitted'))
  })

  it('by a KMS and a gateway, where somebody starts it past the gate', async () => {
    await ask.follow(good)
    expect(await ask.startPastTheGate(compose, OTHER_APP)).toMatch(/^Boot denied: app-listed \(app\): /)
    const { code, document } = await ask.inspect(OTHER_APP)
    expect([code, document.lines.find(({ id }) => id === 'health')?.status]).toEqual([1, 'fail'])
  })

  it('with one byte changed in its quote, by whoever looks at it, and by the service', async () => {
    ask.flipQuote()
    const { code, document } = await ask.inspect()
    expect([code, document.verdict]).toEqual([1, 'failed'])
    expect(document.lines.find(({ id }) => id === 'quote-signature')?.status).toBe('fail')
    expect(await deployments.announce(compose, 'flipped-quote', tokens.orderer)).toBe(202)
    expect(await deployments.observed('failed')).toMatchObject({ app: APP_ID, code: null })
  })

  it('on another guest image, on an old platform, or rebuilt in another builder', async () => {
    await ask.follow(good)
    expect(await ask.webhooks({ osImageHash: OTHER_DIGEST })).toEqual(denied('os-image'))
    expect(await ask.webhooks({ tcbStatus: 'OutOfDate' })).toMatchObject({ allowed: false, reason: expect.stringMatching(/^tcb /) })
    await ask.follow(good, { builders: [OTHER_DIGEST] })
    await expectDenied({}, ['builder-admitted'])
    expect(await ask.webhooks()).toEqual(denied('builder-admitted'))
  })

  it('and is allowed as it was, all that put back', async () => {
    await ask.follow(good)
    expect(await ask.gate()).toEqual({ code: 0, failed: [] })
    expect(await ask.webhooks()).toEqual(ALLOWED)
  })
})
