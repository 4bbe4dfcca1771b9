import { generateKeyPairSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import { toTrustMaterial } from '@sigstore/verify'
import type { TokenSource } from '../attestations/sign/identity-token.ts'
import { keySigner } from '../attestations/sign/key-signer.ts'
import { sigstoreSigner } from '../attestations/sign/sigstore-signer.ts'
import type { StatementSigner } from '../attestations/sign/statement-signer.ts'
import { startMockSigstore } from '../attestations/sign/testing/mock-sigstore.ts'
import { statementBytes } from '../attestations/sign/testing/statement.ts'
import { Secret } from '../verifier/model/secret.ts'

/**
 * `node bench/signing.ts [COUNT]`: how long a signature takes, by stage: median and p99 in milliseconds over COUNT (200) signatures one
 * after the other, checks included. Against the servers of the mock in this process; with BITWITNESS_LAB=FOLDER against real ones, where
 * FOLDER has a trusted_root.json and a signing_config.json, on the ports that lie beside that of its Fulcio.
 */
const count = Number(process.argv[2] ?? 200)
const folder = process.env['BITWITNESS_LAB']
await using servers = folder === undefined ? await mocked() : await real(folder)
const { urls, token, trustedRoot } = servers
const trusted = toTrustMaterial(TrustedRoot.fromJSON(trustedRoot))
const privateKeyPem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const { fulcio, tsa } = urls

console.log(`${servers.name}; ${count} signatures each, one after the other; ms: median, p99`)
await measure('key', keySigner({ privateKeyPem }))
await measure('key + timestamp', keySigner({ privateKeyPem, tsa, trusted }))
await measure('Rekor v1 + timestamp', sigstoreSigner({ fulcio, log: { version: 1, rekor: urls.rekor1, tsa }, token, trusted }))
await measure('Rekor v2 + timestamp', sigstoreSigner({ fulcio, log: { version: 2, rekor: urls.rekor2, tsa }, token, trusted }))

type Servers = AsyncDisposable & {
  readonly name: string
  readonly urls: { readonly fulcio: URL; readonly rekor1: URL; readonly rekor2: URL; readonly tsa: URL }
  readonly token: TokenSource
  readonly trustedRoot: unknown
}

async function measure(name: string, signer: StatementSigner): Promise<void> {
  const times = new Map<string, number[]>()
  const note = (stage: string, ms: number): void => void times.set(stage, [...(times.get(stage) ?? []), ms])
  const statement = statementBytes()
  for (let time = 0; time < count; time += 1) {
    const since = performance.now()
    await signer.sign(statement, { signal: new AbortController().signal, owner: null, onStage: note })
    note('whole', performance.now() - since)
  }
  const figures = [...times].map(([stage, all]) => `${stage} ${at(all, 0.5)}, ${at(all, 0.99)}`)
  console.log(`${name.padEnd(22)}${figures.join('   ')}`)
}

function at(times: readonly number[], part: number): string {
  const sorted = times.toSorted((a, b) => a - b)
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN).toFixed(1)
}

async function mocked(): Promise<Servers> {
  const mock = await startMockSigstore()
  const token = (): Promise<Secret> => Promise.resolve(new Secret(mock.token()))
  return {
    name: 'mock in this process',
    urls: mock.urls,
    token,
    trustedRoot: mock.trustedRoot,
    [Symbol.asyncDispose]: () => mock[Symbol.asyncDispose](),
  }
}

async function real(lab: string): Promise<Servers> {
  const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(path.join(lab, name), 'utf8'))
  const config = (await read('signing_config.json')) as Record<'caUrls' | 'rekorTlogUrls' | 'tsaUrls', [{ url: string }]>
  const fulcioUrl = new URL(config.caUrls[0].url)
  const beside = (offset: number): URL => new URL(`http://${fulcioUrl.hostname}:${Number(fulcioUrl.port) - 10 + offset}/`)
  return {
    name: 'real servers',
    urls: { fulcio: fulcioUrl, rekor1: beside(4), rekor2: new URL(config.rekorTlogUrls[0].url), tsa: new URL(config.tsaUrls[0].url) },
    token: () => labToken(new URL('token?audience=sigstore', beside(1))),
    trustedRoot: await read('trusted_root.json'),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** A token as GitHub's, which the lab's issuer makes of any claims. */
async function labToken(url: URL): Promise<Secret> {
  const [repository, sha] = ['acme/rebuilder', '1'.repeat(40)]
  const workflow = `${repository}/.github/workflows/rebuild.yml@refs/heads/main`
  const claims = {
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
  const { value } = (await (await fetch(url, { method: 'POST', body: JSON.stringify(claims) })).json()) as { value: string }
  return new Secret(value)
}
