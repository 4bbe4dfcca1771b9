import { once } from 'node:events'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { execa } from 'execa'
import { endStack, isBuilt, type Lab } from '../tools/sigstore-lab.ts'

/** Ports that a stack takes, from its first on. The timestamp authority takes 2112 besides, whatever the others are. */
const PORTS = 13

/** What an identity token of GitHub Actions says for a workflow of `acme/rebuilder`, as far as Fulcio reads it. */
export const WORKFLOW = (() => {
  const [repository, sha] = ['acme/rebuilder', '1'.repeat(40)]
  const workflow = `${repository}/.github/workflows/rebuild.yml@refs/heads/main`
  return {
    sub: `repo:${repository}:ref:refs/heads/main`,
    repository,
    repository_id: '1',
    repository_owner: 'acme',
    repository_owner_id: '2',
    repository_visibility: 'public',
    ref: 'refs/heads/main',
    sha,
    event_name: 'push',
    workflow: 'rebuild',
    workflow_ref: workflow,
    workflow_sha: sha,
    job_workflow_ref: workflow,
    job_workflow_sha: sha,
    runner_environment: 'github-hosted',
    run_id: '77',
    run_attempt: '1',
  }
})()

export type LabServer = 'issuer' | 'ct' | 'rekor1' | 'rekor2' | 'tsa' | 'fulcio'

const OFFSETS: Readonly<Record<LabServer, number>> = { issuer: 1, ct: 3, rekor1: 4, rekor2: 5, tsa: 8, fulcio: 10 }

/** Fulcio, its certificate log, Rekor v1 and v2, a timestamp authority and an issuer of tokens: the real ones, on this machine alone. */
export class SigstoreLab implements AsyncDisposable {
  readonly #lab: Lab
  readonly #base: number

  private constructor(lab: Lab, base: number) {
    this.#lab = lab
    this.#base = base
  }

  /** Starts afresh, after ending whatever an earlier run left. */
  static async start(lab: Lab): Promise<SigstoreLab> {
    if (!isBuilt(lab)) throw new Error('the servers of the lab are not built: make lab builds them')
    endStack(lab)
    await rm(path.join(lab.state, 'stack'), { recursive: true, force: true })
    await mkdir(path.join(lab.state, 'stack'))
    const started = new SigstoreLab(lab, await freePorts())
    const words = [path.join(lab.folder, 'stack.sh'), 'up', path.join(lab.state, 'bin'), started.#folder]
    const { exitCode, stderr } = await execa('bash', words, {
      env: { BASEPORT: String(started.#base), PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env['PATH'] ?? ''}` },
      reject: false,
      timeout: 90_000,
    })
    if (exitCode === 0) return started
    endStack(lab)
    throw new Error(`the servers of the lab did not come up: ${stderr}`)
  }

  get #folder(): string {
    return path.join(this.#lab.state, 'stack')
  }

  /** The trusted_root.json of all of them. */
  get trustedRoot(): string {
    return path.join(this.#folder, 'trusted_root.json')
  }

  url(server: LabServer): URL {
    return new URL(`http://127.0.0.1:${this.#base + OFFSETS[server]}/`)
  }

  /** The issuer as its tokens and the certificates name it. */
  get issuer(): string {
    return this.url('issuer').origin
  }

  /** A token of five minutes. */
  async token(claims: Readonly<Record<string, unknown>> = WORKFLOW, audience = 'sigstore'): Promise<string> {
    const url = new URL(`token?audience=${audience}`, this.url('issuer'))
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(claims) })
    return ((await answer.json()) as { value: string }).value
  }

  /** How many certificates the certificate log has. */
  async certificates(): Promise<number> {
    const answer = await fetch(new URL('ct/ct/v1/get-sth', this.url('ct')))
    return ((await answer.json()) as { tree_size: number }).tree_size
  }

  /** Ends one server, as a machine that goes away. */
  async kill(server: 'rekor1' | 'rekor2'): Promise<void> {
    process.kill(Number(await readFile(path.join(this.#folder, `pid.${server}`), 'utf8')), 'SIGKILL')
  }

  /** The servers' logs stay until the next start. */
  [Symbol.asyncDispose](): Promise<void> {
    endStack(this.#lab)
    return Promise.resolve()
  }
}

/** The first of as many ports in a row that nobody listens on, below those that connections are made from. */
async function freePorts(): Promise<number> {
  for (let tries = 0; tries < 50; tries += 1) {
    const first = 20_000 + 16 * Math.floor(Math.random() * 700)
    const free = await Promise.all(Array.from({ length: PORTS }, (_, offset) => isFree(first + offset)))
    if (free.every(Boolean)) return first
  }
  throw new Error('no free ports')
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
