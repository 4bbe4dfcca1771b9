import { randomBytes } from 'node:crypto'
import type { z } from 'zod'
import { AttemptReport, type Heartbeat, type WorkerClaim, WorkerJob } from '../src/app/service/worker-protocol.ts'
import type { WorkerCapabilities } from '../src/app/store/records.ts'
import { signRequest } from '../src/worker-auth/sign-request.ts'
import type { WorkerKey } from '../src/worker-auth/worker-key.ts'
import { digestOf } from '../verifier/bytes/digest-of.ts'
import type { LoopbackClient } from './loopback-client.ts'

const WITHOUT_RUN = { stages: [], artifacts: [], retried: [], lock: null, builder: null, sandbox: null, usage: null }

/** A worker that speaks the coordinator's protocol and builds nothing. */
export class BenchWorker {
  readonly #client: LoopbackClient
  readonly #key: WorkerKey
  readonly #architecture: string

  constructor(client: LoopbackClient, key: WorkerKey, architecture: 'amd64' | 'arm64') {
    this.#client = client
    this.#key = key
    this.#architecture = architecture
  }

  /** The next attempt; undefined where there was none for so long. */
  async claim(waitSeconds: number): Promise<WorkerJob | undefined> {
    const capabilities: WorkerCapabilities = { architecture: this.#architecture, builders: [], isolation: 'shared-kernel' }
    const claim: z.infer<typeof WorkerClaim> = { schema: 'bitwitness/worker-claim/v1', capabilities, waitSeconds }
    const { status, body } = await this.#send('POST', '/v1/worker/claim', JSON.stringify(claim))
    if (status === 204) return undefined
    if (status !== 200) throw new Error(`claim: ${status} ${body.toString()}`)
    return WorkerJob.parse(JSON.parse(body.toString()))
  }

  async heartbeat({ attempt, lease }: WorkerJob): Promise<void> {
    const beat: z.infer<typeof Heartbeat> = { schema: 'bitwitness/worker-heartbeat/v1', lease }
    await this.#must(200, 'POST', `/v1/worker/attempts/${attempt.id}/heartbeat`, JSON.stringify(beat))
  }

  /** That the build hit its bound of time: the least that a report can say which is final. The log is handed over before. */
  async report({ attempt, lease, source }: WorkerJob, log: Buffer): Promise<void> {
    const sha256 = digestOf(log)
    const { id, number, mode } = attempt
    await this.#must(204, 'PUT', `/v1/worker/attempts/${id}/blobs/${sha256}?lease=${lease}`, log)
    const reason = { code: 'limit-time', message: 'the build took too long', data: {} }
    const report = AttemptReport.parse({
      schema: 'bitwitness/attempt-report/v1',
      lease,
      attempt: { ...WITHOUT_RUN, number, mode, outcome: 'limit', limit: 'time', reason, log: sha256 },
      treeDigest: source.pinned.treeDigest,
      builder: null,
      indexes: [],
      tool: { name: 'bitwitness', version: '0.0.0' },
    })
    await this.#must(200, 'POST', `/v1/worker/attempts/${id}/report`, JSON.stringify(report))
  }

  async #must(expected: number, method: 'POST' | 'PUT', target: string, body: string | Buffer): Promise<void> {
    const answer = await this.#send(method, target, body)
    if (answer.status !== expected) throw new Error(`${target}: ${answer.status} ${answer.body.toString()}`)
  }

  async #send(method: 'POST' | 'PUT', target: string, body: string | Buffer) {
    const contentType = method === 'POST' ? 'application/json' : 'application/octet-stream'
    const covered = { method, target, body: { contentType, sha256: digestOf(body) } }
    const headers = signRequest(covered, { key: this.#key, now: new Date(), nonce: randomBytes(16) })
    return await this.#client.ask({ method, target, headers, body })
  }
}
