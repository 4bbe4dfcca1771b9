import { chmod, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Decision } from '../src/app/gate/decision.ts'
import type { SubmissionDocument } from '../src/client/submission-document.ts'
import { digestOf } from '../verifier/bytes/digest-of.ts'
import { writeFlippedImage } from './flipped-image.ts'
import { type ComposeFile, GatedApp, policyOf } from './gated-app.ts'
import { GatewayClient } from './stand-ins/gateway-client.ts'
import { KmsClient } from './stand-ins/kms-client.ts'

const APP_ID = 'ab'.repeat(20)
const OTHER_APP = 'cd'.repeat(20)
const [OS_IMAGE, DEVICE] = ['d', 'e'].map((digit) => digit.repeat(64)) as [string, string]

let scene: GatedApp
let tokens: Record<'publisher' | 'stranger' | 'deployer' | 'mallory', string>
let compose: ComposeFile
let good: SubmissionDocument
let bundle: string
/** What the gate of the command line is asked by: the policy of the service, with the app-compose in it. */
let policy: string

beforeAll(async () => {
  scene = await GatedApp.open()
  tokens = {
    publisher: await scene.token('publisher'),
    stranger: await scene.token('stranger'),
    deployer: await scene.token('deployer', 'admit'),
    mallory: await scene.token('mallory', 'admit'),
  }
  compose = await scene.compose('deployment')
  await scene.push()
}, 900_000)
afterAll(async () => {
  await scene?.[Symbol.asyncDispose]()
})

type Change = Readonly<Record<string, unknown>>

/** Writes the policy of the service and that of the command line, which names admitted app-composes itself. */
async function follow(change: Change = {}, composes: readonly string[] = [compose.hash]): Promise<void> {
  const apps = (more: Change) => ({
    [APP_ID]: { images: [scene.name()], admitters: ['local:deployer'], devices: 'any', ...more },
  })
  const of = { app: scene.app, key: scene.key, name: scene.name() }
  const rest = { osImages: { [OS_IMAGE]: { pinned: 'of this test' } }, ...change }
  await scene.policy({ ...policyOf(of, good, apps({})), ...rest })
  policy = await scene.policy({ ...policyOf(of, good, apps({ composes })), ...rest, name: 'asked' }, 'asked')
}

/** Rules that fail, in their order. */
const failed = ({ rules }: Decision): readonly string[] => rules.filter(({ result }) => result === 'fail').map(({ rule }) => rule)

/** What the gate of the command line says: its exit code, and the rules that fail. */
async function gate(o: { readonly file?: ComposeFile; readonly appId?: string; readonly bundle?: string } = {}) {
  const bundles = o.bundle === undefined ? [] : ['--bundle', o.bundle]
  const asked = ['--app-compose', (o.file ?? compose).file, '--app-id', o.appId ?? APP_ID, ...bundles]
  const { code, document } = await scene.gate(policy, asked)
  return { code, failed: failed(document) }
}

/** What the service says to a KMS, and to a gateway, about the guest. */
async function webhooks(change: Change = {}): Promise<{ readonly allowed: boolean; readonly reason: string; readonly gateway: boolean }> {
  const url = new URL('v1/dstack/production', scene.service.url).href
  const guest = { appId: APP_ID, composeHash: compose.hash, osImageHash: OS_IMAGE, ...change }
  const measured = { deviceId: DEVICE, instanceId: '', mrAggregated: DEVICE, mrSystem: DEVICE }
  const kms = new KmsClient({ url })
  const { isAllowed, reason } = await kms.isAppAllowed({ ...measured, tcbStatus: 'UpToDate', advisoryIds: [], ...guest }, false)
  const gateway = await new GatewayClient({ url: `${url}/app-auth` }).isAppAuthorized({
    app_id: guest.appId,
    compose_hash: guest.composeHash,
    instance_id: '',
    device_id: DEVICE,
    mr_system: DEVICE,
    mr_aggregated: DEVICE,
    os_image_hash: guest.osImageHash,
    key_provider_info: '',
    init_script_hashes: null,
  })
  return { allowed: isAllowed, reason, gateway }
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
    await follow()
    await scene.attach(await scene.bundle(document, 'look-alike'))
    expect(await gate()).toEqual({ code: 1, failed: ['source-admitted'] })
    expect(await scene.admit(compose, APP_ID, tokens.deployer)).toBe(201)
    expect(await webhooks()).toEqual(denied(String.raw`attested \(service simple-app\): nothing is attested of it`))
  })

  it('is denied where only a stranger had its repository rebuilt', async () => {
    const { code, document } = await scene.submit(scene.app, { token: tokens.stranger })
    expect([code, document.verdict]).toEqual([0, 'reproduced'])
    await scene.attach(await scene.bundle(document, 'stranger'))
    expect(await gate()).toEqual({ code: 1, failed: ['owner-admitted'] })
    expect(await webhooks()).toEqual(denied(String.raw`owner-admitted \(service simple-app\)`))
  })

  it('is allowed once its publisher had it rebuilt', async () => {
    const { code, document } = await scene.submit(scene.app, { token: tokens.publisher, args: ['--max-age', '1h'] })
    expect([code, document]).toMatchObject([0, { verdict: 'reproduced', tier: 'bit-exact', joined: false }])
    good = document
    bundle = await scene.bundle(document, 'reproduced')
    await scene.attach(bundle)
    await follow()
    expect(await gate()).toEqual({ code: 0, failed: [] })
    expect(await webhooks()).toEqual(ALLOWED)
  })
})

describe('the same app is denied', () => {
  it('with one byte changed in the image', async () => {
    const published = path.dirname(scene.app.image)
    const flipped = path.join(scene.folder, 'flipped')
    const digest = await writeFlippedImage(published, flipped, 'Deterministic build practice app')
    await scene.push(flipped)
    const file = await scene.compose('flipped-deployment', digest)
    await follow({}, [compose.hash, file.hash])
    expect(await scene.admit(file, APP_ID, tokens.deployer)).toBe(201)
    expect(await gate({ file })).toEqual({ code: 1, failed: ['attested'] })
    // What is attested of the other image says nothing of this one, whoever brings it.
    expect(await gate({ file, bundle })).toEqual({ code: 1, failed: ['attested'] })
    expect(await webhooks({ composeHash: file.hash })).toEqual(denied('attested'))
  })

  it('with one byte changed in its app-compose', async () => {
    const bytes = Buffer.from(compose.bytes.toString('utf8').replace('3000:3000', '3001:3000'))
    const file = await scene.composeOf('changed-compose.json', bytes)
    expect(bytes.equals(compose.bytes)).toBe(false)
    await follow()
    expect(await gate({ file })).toEqual({ code: 1, failed: ['compose-admitted'] })
    expect(await webhooks({ composeHash: file.hash })).toEqual(denied('compose-admitted'))
    // Who may not admit changes nothing by admitting it.
    expect(await scene.admit(file, APP_ID, tokens.mallory)).toBe(201)
    expect(await webhooks({ composeHash: file.hash })).toEqual(denied(String.raw`compose-admitted \(compose\): who admitted it may not`))
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
      expect(await gate({ bundle: file })).toEqual({ code: 1, failed: ['attested'] })
    // The same in what the service itself keeps.
    const digest = digestOf(await readFile(bundle))
    const kept = path.join(scene.home, 'blobs', 'sha256', digest.slice(0, 2), digest)
    await chmod(kept, 0o600)
    await writeFile(kept, JSON.stringify({ ...signed, dsseEnvelope: { ...envelope, payload } }))
    expect(await webhooks()).toEqual(denied('it could not be found out'))
    await writeFile(kept, await readFile(bundle))
    expect(await webhooks()).toEqual(ALLOWED)
  })

  it('with one byte changed in the policy: in the repository, and where it is no policy any more', async () => {
    const repository = `file://${scene.app.repository}`
    const source = { refs: ['refs/heads/main'], owners: ['local:publisher'] }
    await follow({ sources: { app: { ...source, repository: repository.replace(/.$/, 'h') } } })
    expect(await gate()).toEqual({ code: 1, failed: ['source-admitted'] })
    expect(await webhooks()).toEqual(denied('attested'))
    await follow()
    const text = await readFile(policy, 'utf8')
    await scene.policy(text.replace('sources:', 'sourcez:'))
    expect(await webhooks()).toEqual(denied('the policy cannot be followed'))
    await scene.policy(text.replace('sources:', 'sourcez:'), 'asked')
    const { code, stdout } = await scene.cli(['gate', '--policy', policy, '--app-compose', compose.file, '--app-id', APP_ID, '--json'])
    expect([code, JSON.parse(stdout)]).toMatchObject([3, { code: 'policy-invalid' }])
  })

  it('as another app, that the policy knows or not', async () => {
    await follow()
    expect(await gate({ appId: OTHER_APP })).toEqual({ code: 1, failed: ['app-listed'] })
    expect(await webhooks({ appId: OTHER_APP })).toEqual(denied('app-listed'))
    const listed = { images: [scene.name()], admitters: ['local:deployer'], devices: 'any' }
    await follow({ apps: { [APP_ID]: { ...listed, composes: [compose.hash] }, [OTHER_APP]: listed } })
    expect(await gate({ appId: OTHER_APP })).toEqual({ code: 1, failed: ['compose-admitted'] })
    expect(await webhooks({ appId: OTHER_APP })).toEqual(denied('compose-admitted'))
  })

  it('on another guest image, on an old platform, or rebuilt in another builder', async () => {
    await follow()
    expect(await webhooks({ osImageHash: DEVICE })).toEqual(denied('os-image'))
    expect(await webhooks({ tcbStatus: 'OutOfDate' })).toMatchObject({ allowed: false, reason: expect.stringMatching(/^tcb /) })
    await follow({ builders: [DEVICE] })
    expect(await gate()).toEqual({ code: 1, failed: ['builder-admitted'] })
    expect(await webhooks()).toEqual(denied('builder-admitted'))
  })

  it('and is allowed as it was, all that put back', async () => {
    await follow()
    expect(await gate()).toEqual({ code: 0, failed: [] })
    expect(await webhooks()).toEqual(ALLOWED)
  })
})
