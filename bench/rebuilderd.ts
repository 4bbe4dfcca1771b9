import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../test/postgres-cluster.ts'
import { LoopbackClient } from './loopback-client.ts'

const PROGRAM = path.join(import.meta.dirname, '..', '.tools', 'rebuilderd', 'rebuilderd')
const JSON_BODY = { 'content-type': 'application/json' }

/** Debian's rebuilderd with its defaults in a folder of its own, asked over its own API (0.28, `/api/v1`) as its worker does. */
export class Rebuilderd implements AsyncDisposable {
  readonly #client: LoopbackClient
  readonly #cookie: string
  readonly #end: () => Promise<void>
  readonly pid: number
  /** How often it answered 500 since two requests wrote at once; such a request is sent again. */
  locked = 0

  private constructor(o: { client: LoopbackClient; cookie: string; pid: number; end: () => Promise<void> }) {
    this.#client = o.client
    this.#cookie = o.cookie
    this.#end = o.end
    this.pid = o.pid
  }

  static isThere(): boolean {
    return existsSync(PROGRAM)
  }

  static async start(connections: number): Promise<Rebuilderd> {
    const folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-bench-'))
    const cookie = path.join(folder, 'cookie')
    const port = await freePort()
    const env = { HTTP_ADDR: `127.0.0.1:${port}`, REBUILDERD_COOKIE_PATH: cookie }
    const daemon = spawn(PROGRAM, [], { cwd: folder, env, stdio: 'ignore' })
    const ended = new Promise<void>((resolve) => daemon.once('exit', () => resolve()))
    const client = new LoopbackClient(port, connections)
    for (let tries = 0; ; tries += 1) {
      const answer = await client.ask({ method: 'GET', target: '/api/v1/workers' }).catch(() => undefined)
      if (answer?.status === 200) break
      if (tries === 100) throw new Error('rebuilderd does not start')
      await sleep(100)
    }
    const end = async (): Promise<void> => {
      client[Symbol.dispose]()
      daemon.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true, force: true })
    }
    return new Rebuilderd({ client, cookie: (await readFile(cookie, 'utf8')).trim(), pid: daemon.pid ?? 0, end })
  }

  async register(name: string): Promise<void> {
    await this.#post(204, '/api/v1/workers', { 'x-worker-key': name }, { name })
  }

  /** Queues so many packages of one artifact each. */
  async queue(round: number, count: number): Promise<void> {
    const packages = Array.from({ length: count }, (_, number) => {
      const [name, version, at] = [`p${number}`, `${round}`, `https://archive.example/${round}/${number}`]
      const artifacts = [{ name, version, component: null, architecture: 'amd64', url: `${at}.deb` }]
      return { name, version, url: `${at}.buildinfo`, artifacts }
    })
    const report = { distribution: 'debian', release: 'sid', architecture: 'amd64', packages }
    await this.#post(204, '/api/v1/packages', { 'x-auth-cookie': this.#cookie }, report)
  }

  /** One job: taken, kept by one ping, reported with its log. Fails where there is none. */
  async runOne(worker: string, log: Buffer, note: (step: string, since: number) => void): Promise<void> {
    const headers = { 'x-worker-key': worker }
    const wanted = { supported_backends: ['debian'], architecture: 'amd64', supported_architectures: ['amd64'] }
    const begun = performance.now()
    const taken = JSON.parse((await this.#post(200, '/api/v1/queue/pop', headers, wanted)).toString()) as Taken
    if (taken === 'Nothing') throw new Error('no job')
    const { id, name } = taken.Rebuild.job
    note('claim', begun)
    const beaten = performance.now()
    await this.#post(204, `/api/v1/queue/${id}/ping`, headers, undefined)
    note('heartbeat', beaten)
    const reported = performance.now()
    const artifacts = [{ name, diffoscope: null, attestation: null, status: 'GOOD' }]
    const built_at = new Date().toISOString().slice(0, -1)
    await this.#post(204, '/api/v1/builds', headers, { queue_id: id, built_at, build_log: [...log], status: 'GOOD', artifacts })
    note('log and report', reported)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end()
  }

  async #post(status: number, target: string, headers: Readonly<Record<string, string>>, document: unknown): Promise<Buffer> {
    const body = document === undefined ? {} : { body: JSON.stringify(document) }
    const asked = { method: 'POST', target, headers: { ...JSON_BODY, ...headers }, ...body } as const
    for (;;) {
      const answer = await this.#client.ask(asked)
      if (answer.status === status) return answer.body
      const said = answer.body.toString().slice(0, 500)
      if (said !== 'database is locked') throw new Error(`${target}: ${answer.status} ${said}`)
      this.locked += 1
    }
  }
}

type Taken = 'Nothing' | { readonly Rebuild: { readonly job: { readonly id: number; readonly name: string } } }
