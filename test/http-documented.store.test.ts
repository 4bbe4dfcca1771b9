import { afterAll, beforeAll, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { ScriptedTarget } from '../src/app/deploy/testing/scripted-target.ts'
import { APP_COMPOSE, APP_ID, COMPOSE_HASH, MANIFEST, NAME, POLICY } from '../src/app/gate/testing/passing.ts'
import { INSPECTION_SCHEMA } from '../src/app/inspect/inspection.ts'
import { cancelVerification } from '../src/app/service/end-verification.ts'
import { httpApp } from '../src/http/app.ts'
import type { HttpApp, HttpPorts } from '../src/http/http-ports.ts'
import { Failure } from '../verifier/model/failure.ts'
import { ANNOUNCED, orderOf } from './deploying.ts'
import { answersOf, documentOf } from './documented-answers.ts'
import { type Answer, ask, HttpService, newId, type ServiceOptions } from './http-service.ts'
import { digestOf } from './stored.ts'

let service: HttpService
/** Something of each kind that may be read: a path of it, by its operation. */
let targets: Readonly<Record<string, string>>
let finished: string
let bundle: string

beforeAll(async () => {
  service = await HttpService.open({ followers: { most: 0 } })
  const { owner } = await service.caller('alice', { scopes: ['submit', 'cancel', 'admit', 'deploy'] })
  service.targets.set('here', { target: new ScriptedTarget(), owners: ['local:alice'], policies: ['production', 'broken'] })
  service.policyFiles.set('production', stringify(POLICY)).set('broken', 'policy: [')
  await service.caller('mallory')
  await service.caller('nothing', { scopes: [] })
  await service.caller('workflow', { repositories: [] })
  const worker = await service.worker('one', { lastSeenAt: service.clock.now() })
  const stored = await service.put('a bundle')
  bundle = stored.sha256
  finished = await service.prepared(owner.id, { attempts: 1 })
  const attempt = await service.commit(worker)
  await service.decide(finished, {
    blobs: [
      { sha256: digestOf('report'), size: 6, role: 'report' },
      { ...stored, role: 'bundle' },
    ],
  })
  const attestation = newId()
  await service.store.unitOfWork.run(({ attestations }) =>
    attestations.publish({
      id: attestation,
      verificationId: finished,
      predicateType: 'p',
      bundle: stored.sha256,
      signer: 'key',
      createdAt: service.clock.now(),
    }),
  )
  const headers = { 'content-type': 'application/octet-stream' }
  await ask(service.app(), '/v1/uploads', { method: 'POST', token: 'alice', headers, body: APP_COMPOSE })
  const ordered = await ask(service.app(), '/v1/deployments', {
    method: 'POST',
    token: 'alice',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(orderOf()),
  })
  const deployment = (ordered.json as { id: string }).id
  const observation = newId()
  await service.store.unitOfWork.run(({ observations }) =>
    observations.note({
      id: observation,
      deploymentId: deployment,
      appId: APP_ID,
      url: 'https://app.example/',
      inspection: {
        schema: INSPECTION_SCHEMA,
        verdict: 'unproven',
        at: service.clock.now().toISOString(),
        url: 'https://app.example/',
        app: { id: null, instanceId: null, composeHash: null, osImageHash: null },
        tcb: null,
        lines: [],
        images: [],
        quote: null,
        appCompose: null,
        policy: null,
      },
      code: null,
      outcome: digestOf('outcome'),
      firstAt: service.clock.now(),
    }),
  )
  targets = {
    listVerifications: '/v1/verifications',
    submit: '/v1/verifications',
    readVerification: `/v1/verifications/${finished}`,
    readRecipe: `/v1/verifications/${finished}/recipe`,
    followVerification: `/v1/verifications/${finished}/events`,
    listAttempts: `/v1/verifications/${finished}/attempts`,
    cancel: `/v1/verifications/${finished}/cancel`,
    readAttempt: `/v1/attempts/${attempt}`,
    readLog: `/v1/attempts/${attempt}/log`,
    followAttempt: `/v1/attempts/${attempt}/events`,
    readSubject: `/v1/subjects/${digestOf('claimed')}`,
    readSubjectHistory: `/v1/subjects/${digestOf('claimed')}/${digestOf('any key')}`,
    listAttestations: '/v1/attestations',
    readAttestation: `/v1/attestations/${attestation}`,
    readBlob: `/v1/blobs/${bundle}`,
    listBuilders: '/v1/builders',
    listWorkers: '/v1/workers',
    readOwner: '/v1/owner',
    upload: '/v1/uploads',
    admitCompose: `/v1/apps/${APP_ID}/composes/${COMPOSE_HASH}`,
    readCompose: `/v1/apps/${APP_ID}/composes/${COMPOSE_HASH}`,
    listComposes: `/v1/apps/${APP_ID}/composes`,
    listPolicies: '/v1/policies',
    readPolicy: '/v1/policies/production',
    readPolicyBytes: '/v1/policies/production/bytes',
    decide: '/v1/decisions',
    exportPolicy: '/v1/policies/production/auth-simple',
    findImpact: '/v1/decisions/impact',
    readApp: `/v1/apps/${APP_ID}`,
    listObservations: `/v1/apps/${APP_ID}/observations`,
    readObservation: `/v1/observations/${observation}`,
    listTargets: '/v1/targets',
    order: '/v1/deployments',
    listDeployments: '/v1/deployments',
    readDeployment: `/v1/deployments/${deployment}`,
    readDeploymentCompose: `/v1/deployments/${deployment}/composes/${COMPOSE_HASH}`,
    withdraw: `/v1/deployments/${deployment}/withdraw`,
    listDecisions: `/v1/apps/${APP_ID}/decisions`,
    health: '/healthz',
    openapi: '/openapi.json',
    docs: '/docs',
    errors: '/docs/errors',
  }
})
afterAll(async () => {
  await service[Symbol.asyncDispose]()
})

type Ask = { target?: string; token?: string | null; headers?: Record<string, string>; body?: RequestInit['body']; app?: HttpApp }
type Operation = { readonly operationId: string; readonly method: string }

const CLAIM = { kind: 'file', name: null, sha256: digestOf('claimed'), location: null }
const GIT = { kind: 'git', url: 'https://git.example/app.git', commit: 'main', path: '.' }
const WRITES = ['submit', 'upload', 'cancel', 'readOwner', 'admitCompose', 'findImpact', 'order', 'withdraw']
const deciding = (change: object = { image: `${NAME}@sha256:${MANIFEST}` }) => JSON.stringify({ policy: 'production', ...change })
const ORDER = JSON.stringify(orderOf())
const ordering = (body: object) => (operation: Operation) => send(operation, { body: JSON.stringify(body) })
/** An order of bytes that are here. */
const orderingBytes = async (operation: Operation, bytes: string | Uint8Array) => {
  const { sha256 } = (await send({ operationId: 'upload', method: 'POST' }, { body: bytes })).json as { sha256: string }
  return await ordering(orderOf({}, { appCompose: sha256 }))(operation)
}
const submission = (change: object = {}) => JSON.stringify({ source: GIT, claims: [CLAIM], ...change })

/** The request as it should be, changed. */
async function send({ operationId, method }: Operation, o: Ask = {}): Promise<Answer> {
  const type: Readonly<Record<string, string>> = {
    submit: 'application/json',
    upload: 'application/octet-stream',
    admitCompose: 'application/octet-stream',
    decide: 'application/json',
    findImpact: 'application/octet-stream',
    order: 'application/json',
  }
  const body: Readonly<Record<string, string>> = {
    submit: submission(),
    upload: 'bytes',
    admitCompose: APP_COMPOSE,
    decide: deciding(),
    findImpact: stringify(POLICY),
    order: ORDER,
  }
  const token = o.token === undefined ? (WRITES.includes(operationId) ? 'alice' : null) : o.token
  const sent = o.body ?? body[operationId]
  return await ask(o.app ?? service.app(), o.target ?? targets[operationId] ?? '/', {
    method,
    ...(token === null ? {} : { token }),
    headers: { ...(type[operationId] === undefined ? {} : { 'content-type': type[operationId] }), ...o.headers },
    ...(sent === undefined ? {} : { body: sent, duplex: 'half' }),
  } as Parameters<typeof ask>[2])
}

const app = (options: ServiceOptions) => service.app(options)
const failure = (code: string, change: object = {}) => new Failure({ code, message: '', hint: '', ...change })
/** Everything that is asked of what stands behind the API fails. */
function failing(error: Error): HttpApp {
  const fail = () => Promise.reject(error)
  const all = <T extends object>(port: T): T => new Proxy(port, { get: (_, name) => (name === 'then' ? undefined : fail) })
  const ports = service.httpPorts()
  const reads = new Proxy(ports.reads, { get: (_, name) => (name === 'then' ? undefined : all({})) })
  const broken: Partial<HttpPorts> = {
    reads,
    unitOfWork: { run: fail },
    followers: { follow: fail },
    policies: { see: fail, names: fail },
    openGate: { decide: fail },
    impacts: { find: fail },
    allowlists: { find: fail },
    errorsPage: fail,
  }
  return httpApp({ ...ports, ...broken, webhookSecret: fail })
}
const absent = (operation: Operation) =>
  send(operation, { target: (targets[operation.operationId] ?? '').replace(/[0-9a-f-]{36}/, newId()) })
const endless = () => new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1000)) })
const silent = () => new ReadableStream({ pull: () => new Promise(() => {}) })
const broken = () => new ReadableStream({ pull: (controller) => controller.error(new Error('gone')) })
const submitted = (change: object) => (operation: Operation) => send(operation, { body: submission(change) })
const source = (change: object) => submitted({ source: { ...GIT, ...change } })
const impatient = { limits: { patienceMs: 5, bytesPerSecond: 1_000_000_000 } }

/** How each answer comes about: by operation and code (or status), by code alone, or, for what succeeds, as it should be. */
const WAYS: Readonly<Record<string, (operation: Operation) => Promise<Answer>>> = {
  internal: (operation) => send(operation, { app: failing(new Error('a defect')) }),
  unavailable: (operation) => send(operation, { app: failing(failure('database-unreachable', { audience: 'operator', retryable: true })) }),
  'request-malformed': (operation) => send(operation, { target: `${targets[operation.operationId]}?surprise=1` }),
  'cursor-malformed': (operation) => send(operation, { target: `${targets[operation.operationId]}?cursor=x` }),
  'page-limit': (operation) => send(operation, { target: `${targets[operation.operationId]}?limit=999` }),
  'verification-unknown': absent,
  'attempt-unknown': absent,
  'attestation-unknown': absent,
  'blob-unknown': (operation) =>
    send(operation, { target: (targets[operation.operationId] ?? '').replace(/[0-9a-f]{64}/, digestOf('nobody’s')) }),
  'range-unsatisfiable': (operation) => send(operation, { headers: { range: 'bytes=999-' } }),
  'event-unknown': (operation) => send(operation, { target: `${targets[operation.operationId]}?after=999` }),
  'followers-limit': (operation) => send(operation),
  'recipe-unread': async (operation) => {
    const waiting = await send({ operationId: 'submit', method: 'POST' })
    return await send(operation, { target: `${waiting.headers.get('location')}/recipe` })
  },
  'credentials-missing': (operation) => send(operation, { token: null }),
  'token-invalid': (operation) => send(operation, { token: 'nobody' }),
  'issuer-unreachable': (operation) =>
    send(operation, {
      app: httpApp({ ...service.httpPorts(), authenticate: () => Promise.reject(failure('issuer-unreachable', { retryable: true })) }),
    }),
  'decide rate-limited': (operation) => send(operation, { app: app({ limits: { writesOfAddress: { burst: 0, perMinute: 1 } } }) }),
  'decide image-digest-missing': (operation) => send(operation, { body: deciding({ image: NAME }) }),
  'decide image-reference-malformed': (operation) => send(operation, { body: deciding({ image: 'a b' }) }),
  'decide boot-info-malformed': (operation) => send(operation, { body: deciding({ guest: { appId: APP_ID } }) }),
  'decide policy-unknown': (operation) => send(operation, { body: deciding({ policy: 'absent', image: `${NAME}@sha256:${MANIFEST}` }) }),
  'decide policy-invalid': (operation) => send(operation, { body: deciding({ policy: 'broken', image: `${NAME}@sha256:${MANIFEST}` }) }),
  'exportPolicy gate-busy': (operation) =>
    send(operation, {
      app: httpApp({ ...service.httpPorts(), allowlists: { find: () => Promise.reject(failure('gate-busy', { retryable: true })) } }),
    }),
  'exportPolicy export-too-large': (operation) =>
    send(operation, { app: httpApp({ ...service.httpPorts(), allowlists: { find: () => Promise.reject(failure('export-too-large')) } }) }),
  'exportPolicy rate-limited': (operation) => send(operation, { app: app({ limits: { writesOfAddress: { burst: 0, perMinute: 1 } } }) }),
  'export-no-guest': (operation) => {
    service.policyFiles.set('no-guest', stringify({ ...POLICY, osImages: {} }))
    return send(operation, { target: '/v1/policies/no-guest/auth-simple' })
  },
  'findImpact gate-busy': (operation) =>
    send(operation, {
      app: httpApp({ ...service.httpPorts(), impacts: { find: () => Promise.reject(failure('gate-busy', { retryable: true })) } }),
    }),
  'findImpact policy-unknown': (operation) => send(operation, { target: '/v1/decisions/impact?replaces=absent' }),
  'policy-draft-invalid': (operation) => send(operation, { body: 'policy: [' }),
  'gate-busy': (operation) =>
    send(operation, {
      app: httpApp({ ...service.httpPorts(), openGate: { decide: () => Promise.reject(failure('gate-busy', { retryable: true })) } }),
    }),
  'policy-unknown': (operation) => send(operation, { target: (targets[operation.operationId] ?? '').replace('production', 'absent') }),
  'policy-invalid': (operation) => send(operation, { target: (targets[operation.operationId] ?? '').replace('production', 'broken') }),
  'rate-limited': (operation) => send(operation, { app: app({ limits: { writesOfOwner: { burst: 0, perMinute: 1 } } }) }),
  'scope-missing': (operation) => send(operation, { token: 'nothing' }),
  'content-type-refused': (operation) => send(operation, { headers: { 'content-type': 'text/plain' } }),
  'body-too-slow': (operation) => send(operation, { body: silent(), app: app(impatient) }),
  'request-aborted': (operation) => send(operation, { body: broken() }),
  'body-unexpected': (operation) => send(operation, { body: 'force' }),
  'body-too-large': (operation) => send(operation, { body: endless() }),
  'json-malformed': (operation) => send(operation, { body: '{' }),
  'json-duplicate-key': (operation) => send(operation, { body: '{"a":1,"a":1}' }),
  'json-not-utf8': (operation) => send(operation, { body: new Uint8Array([0xff]) }),
  'json-number-inexact': (operation) => send(operation, { body: '[1e999]' }),
  'json-too-deep': (operation) => send(operation, { body: '['.repeat(99) }),
  'text-malformed': (operation) => send(operation, { body: '["\\u0000"]' }),
  'upload-too-large': (operation) => send(operation, { body: endless(), app: app({ uploads: { bytes: 10 } }) }),
  'upload-swept': (operation) => {
    const ports = service.httpPorts()
    const blobs = { put: ports.blobs.put.bind(ports.blobs), open: ports.blobs.open.bind(ports.blobs), size: async () => undefined }
    return send(operation, { app: httpApp({ ...ports, blobs }) })
  },
  'uploads-held-limit': (operation) => send(operation, { app: app({ uploads: { bytesHeld: 0 } }) }),
  'uploads-limit': (operation) => send(operation, { app: app({ uploads: { countPerDay: 0 } }) }),
  'verification-not-yours': (operation) => send(operation, { token: 'mallory' }),
  'verification-over': (operation) => send(operation),
  'builder-unknown': submitted({ builder: digestOf('no builder') }),
  'builder-not-allowed': (operation) =>
    send(operation, {
      body: submission({ builder: digestOf('no builder') }),
      app: httpApp({ ...service.httpPorts(), allowedBuilders: [digestOf('the builder')] }),
    }),
  'compose-hash-differs': (operation) => send(operation, { body: `${APP_COMPOSE} ` }),
  'compose-no-app': (operation) => send(operation, { body: 'services: {}' }),
  'compose-not-utf8': (operation) => send(operation, { body: new Uint8Array([0x7b, 0xff]) }),
  'compose-too-large': (operation) => send(operation, { body: endless() }),
  'compose-unreadable': (operation) => send(operation, { body: '{"<<":{}}' }),
  'compose-unknown': (operation) => send(operation, { target: `/v1/apps/${APP_ID}/composes/${digestOf('nobody')}` }),
  'order compose-no-app': (operation) => orderingBytes(operation, 'services: {}'),
  'order compose-not-utf8': (operation) => orderingBytes(operation, new Uint8Array([0x7b, 0xff])),
  'order compose-too-large': (operation) => orderingBytes(operation, `${APP_COMPOSE}${' '.repeat(300_000)}`),
  'order compose-unreadable': (operation) => orderingBytes(operation, '{"<<":{}}'),
  'order policy-unknown': ordering(orderOf({ policy: 'absent' })),
  'order policy-invalid': ordering(orderOf({ policy: 'broken' })),
  'order idempotency-key-reused': async (operation) => {
    const headers = { 'idempotency-key': 'once' }
    await send(operation, { headers })
    return await send(operation, { headers, body: JSON.stringify(ANNOUNCED) })
  },
  'deployment-compose-unknown': ordering(orderOf({}, { appCompose: digestOf('nobody’s') })),
  'gateway-url-malformed': ordering({ ...ANNOUNCED, url: 'https://127.0.0.1/' }),
  'gateway-url-domain': ordering({ ...ANNOUNCED, url: `https://${APP_ID}-80.pa.phala.network` }),
  'deployments-limit': (operation) => send(operation, { app: httpApp({ ...service.httpPorts(), deploymentsPerOwner: 0 }) }),
  'target-not-yours': async (operation) => {
    await service.caller('deployer', { scopes: ['admit', 'deploy'] })
    return await send(operation, { token: 'deployer' })
  },
  'target-policy-refused': (operation) => {
    service.policyFiles.set('lax', stringify(POLICY))
    return ordering(orderOf({ policy: 'lax' }))(operation)
  },
  'target-option-unsaid': (operation) => {
    service.targets.set('picky', { target: new ScriptedTarget({ needs: ['image'] }), owners: ['local:alice'], policies: ['production'] })
    return ordering(orderOf({ target: 'picky' }))(operation)
  },
  'target-unknown': ordering(orderOf({ target: 'there' })),
  'deployment-unknown': absent,
  'observation-unknown': absent,
  'deployment-not-yours': async (operation) => {
    await service.caller('deployer', { scopes: ['admit', 'deploy'] })
    return await send(operation, { token: 'deployer' })
  },
  'deployment-under-way': (operation) => send(operation),
  'withdraw 200': async (operation) => {
    const announced = await ordering(ANNOUNCED)({ operationId: 'order', method: 'POST' })
    return await send(operation, { target: `${announced.headers.get('location')}/withdraw` })
  },
  'readDeploymentCompose compose-unknown': (operation) =>
    send(operation, { target: (targets['readDeploymentCompose'] ?? '').replace(COMPOSE_HASH, digestOf('nobody’s')) }),
  'callback-refused': submitted({ callback: 'https://127.0.0.1/' }),
  'claim-location-refused': submitted({ claims: [{ ...CLAIM, location: '/etc/passwd' }] }),
  'claim-twice': submitted({ claims: [CLAIM, CLAIM] }),
  'idempotency-key-malformed': (operation) => send(operation, { headers: { 'idempotency-key': 'a b' } }),
  'idempotency-key-reused': async (operation) => {
    const headers = { 'idempotency-key': 'once' }
    await send(operation, { headers })
    return await send(operation, { headers, body: submission({ attempts: 3 }) })
  },
  'repository-refused': (operation) => send(operation, { token: 'workflow' }),
  'source-host-private': source({ url: 'https://10.0.0.1/app.git' }),
  'source-path-malformed': source({ path: '..' }),
  'source-protocol': source({ url: 'http://git.example/app.git' }),
  'source-ref-malformed': source({ commit: '--upload-pack=x' }),
  'source-url-malformed': source({ url: 'app.git' }),
  'source-url-userinfo': source({ url: 'https://me@git.example/app.git' }),
  'upload-unknown': submitted({ lock: digestOf('no upload') }),
  'verifications-open-limit': (operation) =>
    send(operation, { body: submission({ attempts: 7 }), app: app({ submissions: { openPerOwner: 0 } }) }),
  'worker-none-for-strangers': async (operation) => {
    await service.caller('stranger', { trusted: false })
    const ports = service.httpPorts()
    const workers = { ...ports.reads.workers, anyFor: async () => false }
    return await send(operation, { token: 'stranger', app: httpApp({ ...ports, reads: { ...ports.reads, workers } }) })
  },
  '206': (operation) => send(operation, { headers: { range: 'bytes=0-1' } }),
  '304': async (operation) => send(operation, { headers: { 'if-none-match': (await send(operation)).headers.get('etag') ?? '' } }),
  '204': (operation) => send(operation, { headers: { 'last-event-id': 'end' } }),
  'followVerification 200': (operation) => send(operation, { app: following() }),
  'followAttempt 200': (operation) => send(operation, { app: following() }),
  'admitCompose 201': (operation) => {
    const other = APP_ID.replace(/^../, '00')
    return send(operation, { target: `/v1/apps/${other}/composes/${COMPOSE_HASH}` })
  },
  'admitCompose 200': async (operation) => {
    await send(operation)
    return await send(operation)
  },
  'admitCompose json-number-inexact': (operation) => send(operation, { body: '{"swap_size":1e999}' }),
  'admitCompose json-too-deep': (operation) => send(operation, { body: `{"a":${'['.repeat(200)}${']'.repeat(200)}}` }),
  'readCompose 200': async (operation) => {
    await send({ operationId: 'admitCompose', method: 'PUT' })
    return await send(operation)
  },
  'cancel 200': async (operation) => {
    const accepted = await send({ operationId: 'submit', method: 'POST' }, { body: submission({ attempts: 9 }) })
    const answer = await send(operation, { target: `${accepted.headers.get('location')}/cancel` })
    await cancelVerification(service.ports, (answer.json as { id: string }).id)
    return answer
  },
}

/** An app where somebody may still follow. */
function following(): HttpApp {
  const ports = service.httpPorts()
  return httpApp({ ...ports, followers: { follow: async () => (async function* () {})() } })
}

it('gives every answer that it tells of, and each as it tells it', async () => {
  const missing: string[] = []
  const document = documentOf(service.app())
  for (const [, methods] of Object.entries(document.paths))
    for (const [method, told] of Object.entries(methods))
      for (const [status, codes] of answersOf(told))
        for (const code of codes ?? [null]) {
          const operation = { operationId: told.operationId, method: method.toUpperCase() }
          const way = WAYS[`${told.operationId} ${code ?? status}`] ?? WAYS[code ?? String(status)]
          const answer = way === undefined ? (code === null ? await send(operation) : undefined) : await way(operation)
          const given =
            answer === undefined ? 'no way to it' : `${answer.status} ${(answer.json as { code?: string } | undefined)?.code ?? null}`
          if (given !== `${status} ${code}`) missing.push(`${told.operationId}: ${status} ${code}, but ${given}`)
        }
  expect(missing).toEqual([])
})
