import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { stringify } from 'yaml'
import { PREDICATE_TYPE } from '../attestations/statement/predicate-types.ts'
import type { SubmissionDocument } from '../src/client/submission-document.ts'
import { digestOf } from '../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { type CliEnd, makeHomeLikeShared, runCli } from './cli-process.ts'
import type { PolicyFile } from './gated-policy.ts'
import { type PublishedApp, publishApp } from './published-app.ts'
import { RegistryServer } from './registry-server.ts'
import { ServePlace, type ServeProcess } from './serve-process.ts'
import { testRoom } from './shared-home.ts'

const SECONDS = 540

/** An app-compose on disk. */
export type ComposeFile = { readonly file: string; readonly bytes: Buffer; readonly hash: Sha256 }

/**
 * The reference app on its way to a guest: built by its publisher, rebuilt and signed by a service in a process of its own, pushed to a real
 * registry. What is asked and told goes through the command line and HTTP, as by people who have nothing but these.
 */
export class GatedApp implements AsyncDisposable {
  readonly folder: string
  readonly app: PublishedApp
  readonly service: ServeProcess
  readonly registry: RegistryServer
  /** Public key of the service, PEM. */
  readonly key: string
  readonly #place: ServePlace
  readonly #owned: AsyncDisposableStack

  private constructor(
    o: Pick<GatedApp, 'folder' | 'app' | 'service' | 'registry' | 'key'> & {
      readonly place: ServePlace
      readonly owned: AsyncDisposableStack
    },
  ) {
    this.folder = o.folder
    this.app = o.app
    this.service = o.service
    this.registry = o.registry
    this.key = o.key
    this.#place = o.place
    this.#owned = o.owned
  }

  /** `settings` of the service, for which it may write files into the folder. */
  static async open(settings: (folder: string) => Promise<Readonly<Record<string, string>>>): Promise<GatedApp> {
    await testRoom()
    await using owned = new AsyncDisposableStack()
    const folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-gated-'))
    owned.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))
    await mkdir(path.join(folder, 'policies'))
    const app = await publishApp(folder)
    const registry = owned.use(await RegistryServer.start(path.join(folder, 'registry')))
    const place = owned.use(await ServePlace.make('pglite'))
    await makeHomeLikeShared(place.home)
    // Where the claimed bytes are, is a registry of this machine.
    const allowed = {
      BITWITNESS_SOURCES_ALLOW: 'local-repositories plain-http private-hosts',
      BITWITNESS_POLICIES: path.join(folder, 'policies'),
    }
    const environment = { ...allowed, ...(await settings(folder)) }
    const service = owned.use(await place.serve({ engine: process.env['DOCKER_HOST'] ?? '', environment }))
    const key = (await place.cli(['key', 'show'])).stdout
    return new GatedApp({ folder, app, service, registry, key, place, owned: owned.move() })
  }

  /** Folder of the service. */
  get home(): string {
    return this.#place.home
  }

  /** Digest of the image's manifest, as it was claimed. */
  get manifest(): string {
    const claim = this.app.claims.find((one) => one.startsWith('oci-manifest='))
    return claim?.split(':').at(-1) ?? ''
  }

  /** Name of the image in the registry. */
  name(): string {
    return `${this.registry.host}/acme/app`
  }

  /** A command line of somebody who has nothing to do with the service, and no engine. */
  async cli(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<CliEnd> {
    return await runCli(args, { home: path.join(this.folder, 'nobody'), engine: 'unix:///nowhere', environment, seconds: SECONDS })
  }

  /** What a command prints as JSON, with its exit code. */
  async answer<T>(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<{ code: number | null; document: T }> {
    const { code, stdout, stderr } = await this.cli([...args, '--json'], environment)
    if (stdout === '') throw new Error(stderr)
    return { code, document: JSON.parse(stdout) as T }
  }

  async token(owner: string, ...scopes: readonly ('submit' | 'admit' | 'deploy')[]): Promise<string> {
    const words = ['token', 'create', `${owner}-${scopes.join('-')}`, '--owner', owner, ...scopes.flatMap((scope) => ['--scope', scope])]
    return (await this.#place.cli(words)).stdout.trim()
  }

  /** Has the image rebuilt from a commit of a repository of this machine. */
  async submit(
    source: { readonly repository: string; readonly commit: string },
    o: { readonly token: string; readonly lock?: string; readonly args?: readonly string[] },
  ): Promise<{ code: number | null; document: SubmissionDocument }> {
    const claims = this.app.claims.flatMap((claim) => ['--claim', claim])
    const inputs = ['--lock', o.lock ?? this.app.lock, '--inputs', this.app.inputs]
    const url = `git+file://${source.repository}#${source.commit}`
    return await this.answer(['submit', url, ...claims, ...inputs, ...(o.args ?? []), '--server', this.service.facts.url], {
      BITWITNESS_TOKEN: o.token,
      PATH: '/nowhere',
    })
  }

  /** The same recipe, byte for byte, in a repository of somebody else's. */
  async lookAlike(): Promise<{ readonly repository: string; readonly commit: string }> {
    const repository = path.join(this.folder, 'look-alike.git')
    const git = (...args: readonly string[]) => execa('git', ['-C', repository, ...args])
    await cp(this.app.repository, repository, { recursive: true })
    const somebody = ['-c', 'user.name=somebody', '-c', 'user.email=somebody@example.org']
    await git(...somebody, 'commit', '--quiet', '--amend', '--no-edit', '--reset-author', '--message=mine')
    return { repository, commit: (await git('rev-parse', 'HEAD')).stdout }
  }

  /** File of a bundle that the service signed about a verification. */
  async bundle(
    { verification }: Pick<SubmissionDocument, 'verification'>,
    name: string,
    type: keyof typeof PREDICATE_TYPE = 'reproduced',
  ): Promise<string> {
    const signed = verification.attestations.find(({ predicateType }) => predicateType === PREDICATE_TYPE[type])
    if (signed === undefined) throw new Error(`nothing of type ${type} is signed`)
    return await this.write(`${name}.sigstore.json`, (await this.service.get(`v1/blobs/${signed.bundle}`)).body)
  }

  /** Pushes what was built into a folder; the published image if not said. */
  async push(folder = path.dirname(this.app.image)): Promise<void> {
    const { code, stderr } = await this.cli(['push', folder, this.name()])
    if (code !== 0) throw new Error(stderr)
  }

  async attach(bundle: string): Promise<void> {
    const { code, stderr } = await this.cli(['attestation', 'attach', bundle, `${this.name()}@sha256:${this.manifest}`])
    if (code !== 0) throw new Error(stderr)
  }

  /** App-compose of the image by a digest. */
  async compose(name: string, digest = this.manifest): Promise<ComposeFile> {
    const output = path.join(this.folder, name)
    const image = `${this.name()}@sha256:${digest}`
    const { document } = await this.answer<{ composeHash: Sha256 }>([
      'compose',
      'create',
      image,
      '--name',
      'simple-app',
      '--port',
      '3000',
      '--output',
      output,
    ])
    const file = path.join(output, 'app-compose.json')
    return { file, bytes: await readFile(file), hash: document.composeHash }
  }

  async composeOf(name: string, bytes: Buffer): Promise<ComposeFile> {
    return { file: await this.write(name, bytes), bytes, hash: digestOf(bytes) }
  }

  /** Admits an app-compose for an app, by the token of who may or may not. */
  async admit({ bytes, hash }: ComposeFile, appId: string, token: string): Promise<number> {
    const answer = await fetch(new URL(`v1/apps/${appId}/composes/${hash}`, this.service.url), {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
      body: new Uint8Array(bytes),
    })
    return answer.status
  }

  /** Writes a policy that the service follows as well, and gives its file. */
  async policy(policy: PolicyFile | string, name = 'production'): Promise<string> {
    return await this.write(
      path.join('policies', `${name}.yaml`),
      typeof policy === 'string' ? policy : stringify(policy, { aliasDuplicateObjects: false }),
    )
  }

  async write(name: string, content: string | Uint8Array): Promise<string> {
    const file = path.join(this.folder, name)
    await writeFile(file, content)
    return file
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync()
  }
}
