import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { APP_COMPOSE, APP_ID, BOOT, COMPOSE_HASH, MANIFEST, NAME, PREDICATE } from '../src/app/gate/testing/passing.ts'
import { digestOf } from '../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { GATEWAY_APP, GateService, KMS_BOOT } from './gate-service.ts'
import { ask, newId } from './http-service.ts'
import { endedImage, SERVICE_POLICY, signImage } from './rebuilt-image.ts'
import { GatewayClient } from './stand-ins/gateway-client.ts'
import { KmsClient, type PolicyBootInfo } from './stand-ins/kms-client.ts'

/** One digit of it is another. */
const altered = (hex: string, at = 7): string => `${hex.slice(0, at)}${hex[at] === '0' ? '1' : '0'}${hex.slice(at + 1)}`
const commit = (): string => newId().replaceAll('-', '').padEnd(40, '0')
const { app: SOURCE } = SERVICE_POLICY.sources
const LISTED = SERVICE_POLICY.apps[APP_ID]
const OTHER_APP = 'cd'.repeat(20)

/** Of a bundle: something else in what was signed, under the old signature. */
function payloadWith(from: string, to: string): (bundle: string) => string {
  return (bundle) => {
    const value = JSON.parse(bundle) as { dsseEnvelope: { payload: string } }
    const payload = Buffer.from(value.dsseEnvelope.payload, 'base64').toString()
    if (!payload.includes(from)) throw new Error('the statement does not say that')
    value.dsseEnvelope.payload = Buffer.from(payload.replace(from, to)).toString('base64')
    return JSON.stringify(value)
  }
}

function signatureAltered(bundle: string): string {
  const value = JSON.parse(bundle) as { dsseEnvelope: { signatures: { sig: string }[] } }
  for (const one of value.dsseEnvelope.signatures) {
    const bytes = Buffer.from(one.sig, 'base64')
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 3) ^ 1, bytes.length - 3)
    one.sig = bytes.toString('base64')
  }
  return JSON.stringify(value)
}

describe('a guest that differs in one thing from one that was admitted, rebuilt and signed', () => {
  let gate: GateService
  beforeAll(async () => {
    gate = await GateService.open()
  })
  afterAll(async () => {
    await gate[Symbol.asyncDispose]()
  })

  /** What a guest is told in place of its keys, and whether it gets traffic. */
  async function started(
    policy: string,
    change: Partial<PolicyBootInfo> = {},
  ): Promise<{ readonly told: string; readonly traffic: boolean }> {
    const info = { ...(BOOT as PolicyBootInfo), ...change }
    const told = await new KmsClient({ url: gate.url(policy), self: KMS_BOOT as PolicyBootInfo }).getAppKey(info).then(
      () => 'keys',
      (error: unknown) => String(error),
    )
    const asked = { ...GATEWAY_APP, app_id: info.appId, compose_hash: info.composeHash, os_image_hash: info.osImageHash }
    return { told, traffic: await new GatewayClient({ url: `${gate.url(policy)}/app-auth` }).isAppAuthorized(asked) }
  }
  const denied = (rule: string, reason = '') => ({
    told: expect.stringMatching(`^Error: Boot denied: ${rule} \\(.*${reason}`),
    traffic: false,
  })

  async function admitted(bytes: string, app = APP_ID): Promise<Sha256> {
    const hash = digestOf(bytes)
    const headers = { 'content-type': 'application/octet-stream' }
    const { status } = await ask(gate.app, `/v1/apps/${app}/composes/${hash}`, { method: 'PUT', token: 'alice', headers, body: bytes })
    expect(status).toBe(201)
    return hash
  }

  /** A policy under which nobody's rebuild counts but this owner's, of whom there is no other. */
  async function only(
    owner: string,
    o: { readonly repository?: string; readonly says?: object; readonly forge?: (bundle: string) => string } = {},
  ): Promise<Sha256> {
    gate.put(owner, { sources: { app: { ...SOURCE, owners: [`local:${owner}`] } } })
    const ended = { commit: commit(), ...(o.repository === undefined ? {} : { repository: o.repository }) }
    return await signImage(gate.service, await endedImage(gate.service, owner, ended), { owner: `local:${owner}`, ...o.says }, o.forge)
  }

  it('starts as it is', async () => {
    expect(await started('production')).toEqual({ told: 'keys', traffic: true })
    await only('carol')
    expect(await started('carol')).toEqual({ told: 'keys', traffic: true })
  })

  it('is denied where a digit of the image’s digest is another, though who may admitted that', async () => {
    const composeHash = await admitted(APP_COMPOSE.replace(MANIFEST, altered(MANIFEST)))
    expect(await started('production', { composeHash })).toEqual(denied('attested', 'nothing is attested of it'))
  })

  it('is denied where a byte of its app-compose is another', async () => {
    const composeHash = digestOf(APP_COMPOSE.replace('"name":"app"', '"name":"apq"'))
    expect(await started('production', { composeHash })).toEqual(denied('compose-admitted', 'nobody admitted it for this app'))
    expect(await started('production', { composeHash: altered(COMPOSE_HASH) as Sha256 })).toEqual(denied('compose-admitted'))
    const tag = await admitted(APP_COMPOSE.replace('@sha256:', ':sha256-'))
    expect(await started('production', { composeHash: tag })).toEqual(denied('compose-clean', 'image-unpinned'))
  })

  it('is denied where the image is called otherwise', async () => {
    for (const [at, name] of [
      'registry.example/acme/apq',
      'registry.example.evil/acme/app',
      'registry.example/acme/app/x',
      'registry.example:5000/acme/app',
    ].entries()) {
      const composeHash = await admitted(APP_COMPOSE.replace(NAME, name).replace('"name":"app"', `"name":"app${at}"`))
      expect(await started('production', { composeHash })).toEqual(denied('image-listed'))
    }
  })

  it.each<[string, (bundle: string) => string]>([
    ['a byte of the signature', signatureAltered],
    ['a digit of the lock that the statement names', payloadWith(PREDICATE.inputs.lock ?? '', altered(PREDICATE.inputs.lock ?? ''))],
    [
      'a digit of the commit that it names',
      payloadWith(String(Reflect.get(PREDICATE.source, 'commit')), altered(String(Reflect.get(PREDICATE.source, 'commit')))),
    ],
    ['the owner whom it names', payloadWith('local:forged-3', 'local:alice')],
    ['a bracket of the bundle', (bundle) => bundle.slice(0, -1)],
  ])('is denied where %s is another', async (what, forge) => {
    const owner = `forged-${['signature', 'lock', 'commit', 'owner', 'bracket'].findIndex((word) => what.includes(word))}`
    await only(owner, { forge })
    expect(await started(owner)).toEqual(denied('attested', 'an attestation does not hold'))
  })

  it('is denied where a byte of the bundle is another on the disk', async () => {
    const bundle = await only('dora')
    expect(await started('dora')).toEqual({ told: 'keys', traffic: true })
    gate.desk.forget()
    const file = path.join(gate.service.blobFolder, 'sha256', bundle.slice(0, 2), bundle)
    const bytes = await readFile(file)
    bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100)
    await writeFile(file, bytes)
    gate.put('dora', {
      sources: { app: { ...SOURCE, owners: ['local:dora'] } },
      attestations: { ...SERVICE_POLICY.attestations, cacheSeconds: 0 },
    })
    expect(await started('dora')).toEqual({ told: expect.stringContaining('it could not be found out (blob-damaged)'), traffic: false })
  })

  it.each<[string, object, string]>([
    ['the builder', { builders: [altered(SERVICE_POLICY.builders[0] ?? '')] }, 'builder-admitted'],
    ['the branch', { sources: { app: { ...SOURCE, refs: ['refs/heads/mait'] } } }, 'source-admitted'],
    ['the folder', { sources: { app: { ...SOURCE, path: 'images/apq' } } }, 'source-admitted'],
    ['the repository', { sources: { app: { ...SOURCE, repository: 'https://git.example/app/imagf.git' } } }, 'attested'],
    ['the owner', { sources: { app: { ...SOURCE, owners: ['local:alicf'] } } }, 'owner-admitted'],
    ['who admits', { apps: { [APP_ID]: { ...LISTED, admitters: ['local:alicf'] } } }, 'compose-admitted'],
    ['the app', { apps: { [altered(APP_ID)]: LISTED } }, 'app-listed'],
    ['the guest image', { osImages: { [altered(BOOT.osImageHash)]: { pinned: 'by hand' } } }, 'os-image'],
    ['the suite', { indexes: { ...SERVICE_POLICY.indexes, suites: ['oldstablf'] } }, 'indexes-fresh'],
  ])('is denied where a letter of %s is another in the policy', async (what, change, rule) => {
    const name = `altered-${what.replaceAll(' ', '-')}`
    gate.put(name, change)
    expect(await started(name)).toEqual(denied(rule))
  })

  it('is denied where a letter of the policy is another so that it is none', async () => {
    const text = gate.service.policyFiles.get('production') ?? ''
    for (const [from, to] of [
      ['tiers:', 'tierz:'],
      ['enforce', 'enforcf'],
      ['BEGIN PUBLIC', 'BEGIN PVBLIC'],
    ] as const) {
      expect(text).toContain(from)
      gate.service.policyFiles.set('damaged', text.replace(from, to))
      expect(await started('damaged')).toEqual({ told: expect.stringContaining('the policy cannot be followed'), traffic: false })
    }
  })

  it('is denied as another app: one that nobody lists, one that may not run it, one for which nobody admitted it', async () => {
    expect(await started('production', { appId: OTHER_APP })).toEqual(denied('app-listed'))
    const images = { [NAME]: { source: 'app' }, 'registry.example/acme/other': { source: 'app' } }
    gate.put('two-apps', { images, apps: { [APP_ID]: LISTED, [OTHER_APP]: { ...LISTED, admitters: ['local:alice'], images: [NAME] } } })
    expect(await started('two-apps', { appId: OTHER_APP })).toEqual(denied('compose-admitted', 'nobody admitted it for this app'))
    gate.put('two-apps', {
      images,
      apps: { [OTHER_APP]: { ...LISTED, composes: [COMPOSE_HASH], images: ['registry.example/acme/other'] } },
    })
    expect(await started('two-apps', { appId: OTHER_APP })).toEqual(denied('app-images'))
  })

  it.each([
    ['acme', 'Acme'],
    ['image', 'irnage'],
    ['.git', ''],
    ['.git', '.git/'],
    ['git.example', 'git.example.evil'],
    ['git.example', 'git.example:8443'],
    ['/image', '%2Fimage'],
    ['acme', '\u0430cme'],
  ])('is denied where it was rebuilt from a repository that looks alike: not %s but %s', async (from, to) => {
    const owner = `looks-alike-${digestOf(`${from} ${to}`).slice(0, 8)}`
    // Which nobody has had rebuilt before.
    const wanted = { ...SOURCE, repository: `https://git.example/acme-${owner}/image.git`, owners: [`local:${owner}`] }
    const repository = wanted.repository.replace(from, to)
    const source = { ...PREDICATE.source, url: repository }
    await only(owner, { repository, says: { source } })
    gate.put(owner, { sources: { app: wanted } })
    expect(await started(owner)).toEqual(denied('attested', 'nothing is attested of it'))
    // The same where what the service noted of it is the one, and what was signed the other.
    await only(owner, { repository: wanted.repository, says: { source } })
    gate.put(owner, { sources: { app: wanted } })
    expect(await started(owner)).toEqual(denied('source-admitted', 'another repository'))
    await only(owner, { repository: wanted.repository, says: { source: { ...source, url: wanted.repository } } })
    gate.put(owner, { sources: { app: wanted } })
    expect(await started(owner)).toEqual({ told: 'keys', traffic: true })
  })

  it('is denied where a stranger had it rebuilt, also one who signed that it was somebody else', async () => {
    gate.put('strangers', { sources: { app: { ...SOURCE, owners: ['local:nobody-yet'] } } })
    expect(await started('strangers')).toEqual(denied('owner-admitted'))
    await only('mallory', { says: { owner: 'local:stranger' } })
    expect(await started('mallory')).toEqual(denied('owner-admitted', 'somebody else had it rebuilt'))
  })
})
