import { sql } from 'drizzle-orm'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acceptVerification } from '../src/app/service/accept-verification.ts'
import { CallbackBody } from '../src/app/service/api-documents.ts'
import { CALLBACK_PAUSES, type CallbackPorts, callbackWork } from '../src/app/service/callback.ts'
import { decide } from '../src/app/service/end-verification.ts'
import type { ServiceFacts } from '../src/app/service/service-events.ts'
import { webhookSecret } from '../src/app/service/webhook-signature.ts'
import type { Owner } from '../src/app/store/records.ts'
import { postCallback } from '../src/notify/post-callback.ts'
import { type Certificate, certificateOf, receive, type WebhookReceiver } from '../src/notify/testing/webhook-receiver.ts'
import { StoreRoom } from '../src/store-room.ts'
import { addOwner, commandOf, decisionOf, newId, submissionOf } from './stored.ts'
import { databases, type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'
import { workOff } from './worked-off.ts'

const ROOT = new Uint8Array(32).fill(7)

describe.each(databases())('a callback on %s', (kind) => {
  let place: EmptyDatabase
  let store: StoreRoom
  let owner: Owner
  let certificate: Certificate
  let ports: CallbackPorts
  const sent: ServiceFacts['callbackSent'][] = []
  const failed: ServiceFacts['callbackFailed'][] = []

  beforeAll(async () => {
    place = await emptyDatabase(kind)
    store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    owner = await addOwner(store, 'alice', new Date())
    certificate = await certificateOf()
    const rules = {
      timeoutMs: 10_000,
      userAgent: 'bitwitness/1.2.3',
      mayConnect: (address: string) => address === '127.0.0.1',
      resolve: (_name: string, _options: object, callback: (error: null, found: { address: string; family: number }[]) => void) =>
        callback(null, [{ address: '127.0.0.1', family: 4 }]),
      authorities: certificate.cert,
    }
    ports = {
      unitOfWork: store.unitOfWork,
      reads: store.reads,
      now: () => new Date(),
      newId,
      secret: async (ownerId) => webhookSecret(ROOT, ownerId),
      links: ({ id, report }) => ({ self: `https://bw.example/v1/verifications/${id}`, report: report === null ? null : `/${report}` }),
      post: (callback, signal) => postCallback(callback, rules, signal),
      events: { callbackSent: (facts) => void sent.push(facts), callbackFailed: (facts) => void failed.push(facts) },
    }
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  let made = 0
  const finished = async (callbackUrl: string): Promise<string> => {
    made += 1
    const source = { kind: 'git', url: `https://git.example/${made}`, commit: 'a'.repeat(40), path: '.' } as const
    const { verificationId } = await acceptVerification(ports, commandOf(submissionOf(owner.id, { source, callbackUrl })))
    const nothing = { builder: null, report: null, artifacts: [], blobs: [], statements: [] }
    const reasons = [{ code: 'source-unreachable', message: 'm' }]
    await decide(ports, verificationId, decisionOf({ verdict: 'undecided', tier: null, reasons, ...nothing }))
    return verificationId
  }
  const tell = () => workOff(store, 'callback', callbackWork(ports))
  const later = async (): Promise<number> => {
    const waiting = sql`name = 'callback' and state = 'created'`
    const rows: unknown = await store.database.drizzle.execute(
      sql`update queue.job set start_after = now() - interval '1 second' where ${waiting} returning 1`,
    )
    return (Array.isArray(rows) ? rows : (rows as { rows: unknown[] }).rows).length
  }
  const read = (receiver: WebhookReceiver, index: number): CallbackBody => {
    const { body, headers } = receiver.requests[index] ?? { body: '', headers: {} }
    return CallbackBody.parse(new Webhook(webhookSecret(ROOT, owner.id)).verify(body, headers as Record<string, string>))
  }

  it('tells the verdict once, signed for its owner', async () => {
    await using receiver = await receive(certificate)
    const id = await finished(receiver.url)
    expect(await tell()).toEqual(['done'])
    expect(read(receiver, 0)).toMatchObject({
      type: 'verification.finished',
      data: {
        verification: id,
        owner: owner.id,
        verdict: 'undecided',
        tier: null,
        report: null,
        links: { self: `https://bw.example/v1/verifications/${id}`, report: null },
      },
    })
    expect(receiver.requests[0]?.headers['webhook-id']).toBe(`msg_${id}`)
    expect(sent.splice(0)).toEqual([{ verification: id, tries: 1 }])
    expect(await later()).toBe(0)
    expect(receiver.requests).toHaveLength(1)
  })

  it('is tried again ever later, by the same id, until the receiver takes it', async () => {
    let left = 2
    await using receiver = await receive(certificate, (response) => void response.writeHead((left -= 1) >= 0 ? 503 : 204).end())
    const id = await finished(receiver.url)
    for (let tries = 1; tries <= 2; tries += 1) {
      const before = Date.now()
      expect(await tell()).toEqual(['again'])
      const [facts] = failed.splice(0)
      expect(facts).toMatchObject({ verification: id, tries, error: { code: 'callback-failed' } })
      expect(Math.abs((facts?.nextAt?.getTime() ?? 0) - before - (CALLBACK_PAUSES[tries - 1] ?? 0))).toBeLessThan(60_000)
      // Not before its time.
      expect(await tell()).toEqual([])
      expect(await later()).toBe(1)
    }
    expect(await tell()).toEqual(['done'])
    expect(sent.splice(0)).toEqual([{ verification: id, tries: 3 }])
    expect(receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual([`msg_${id}`, `msg_${id}`, `msg_${id}`])
    expect([0, 1, 2].map((index) => read(receiver, index).data.verification)).toEqual([id, id, id])
  })

  it('is given up for good after the last pause, and only then', async () => {
    await using receiver = await receive(certificate, (response) => void response.writeHead(500).end())
    await finished(receiver.url)
    for (const _ of CALLBACK_PAUSES) {
      expect(await tell()).toEqual(['again'])
      expect(await later()).toBe(1)
    }
    expect(await tell()).toEqual(['done'])
    expect(failed.splice(0).map(({ tries, nextAt }) => [tries, nextAt !== null])).toEqual([
      ...CALLBACK_PAUSES.map((_pause, index) => [index + 1, true]),
      [CALLBACK_PAUSES.length + 1, false],
    ])
    expect(await later()).toBe(0)
    expect(receiver.requests).toHaveLength(8)
    expect(CALLBACK_PAUSES.at(0)).toBe(60_000)
    expect(CALLBACK_PAUSES.at(-1)).toBe(24 * 3600_000)
  })

  it.each([
    ['https://169.254.169.254/latest', 'callback-host-private'],
    ['http://hook.test/', 'callback-url-refused'],
  ])('is not tried again where nobody may be told: %s', async (url, code) => {
    await finished(url)
    expect(await tell()).toEqual(['done'])
    expect(failed.splice(0)).toMatchObject([{ tries: 1, nextAt: null, error: { code } }])
    expect(await later()).toBe(0)
  })

  it('leaves a defect to the queue', async () => {
    const defect = new TypeError('a defect')
    await finished('https://hook.test/')
    await expect(workOff(store, 'callback', callbackWork({ ...ports, post: () => Promise.reject(defect) }))).rejects.toBe(defect)
  })
})
