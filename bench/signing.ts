import { generateKeyPairSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import os from 'node:os'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import { toTrustMaterial } from '@sigstore/verify'
import type { TokenSource } from '../attestations/sign/identity-token.ts'
import { keySigner } from '../attestations/sign/key-signer.ts'
import { sigstoreSigner } from '../attestations/sign/sigstore-signer.ts'
import type { StatementSigner } from '../attestations/sign/statement-signer.ts'
import { startMockSigstore } from '../attestations/sign/testing/mock-sigstore.ts'
import { statementBytes } from '../attestations/sign/testing/statement.ts'
import { SigstoreLab } from '../test/sigstore-lab.ts'
import { findLab, type Lab } from '../tools/sigstore-lab.ts'
import { Secret } from '../verifier/model/secret.ts'
import { percentile } from './spread.ts'

/**
 * `node bench/signing.ts [COUNT]`: how long a signature takes, by stage: median and p99 in milliseconds over COUNT (200) signatures one
 * after the other, checks included. Against the servers of the mock in this process; with BITWITNESS_LAB against the real ones that
 * `make lab` built of it.
 */
const count = Number(process.argv[2] ?? 200)
const lab = findLab()
await using servers = lab === undefined ? await mocked() : await real(lab)
const { urls, token, trustedRoot } = servers
const trusted = toTrustMaterial(TrustedRoot.fromJSON(trustedRoot))
const privateKeyPem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const { fulcio, tsa } = urls

const machine = `${os.availableParallelism()} processors, load ${os.loadavg()[0]?.toFixed(1)}, node ${process.version}`
console.log(`${servers.name}; ${machine}; ${count} signatures each, one after the other; ms: median, p99`)
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
  const figures = [...times].map(([stage, all]) => `${stage} ${percentile(all, 0.5).toFixed(1)}, ${percentile(all, 0.99).toFixed(1)}`)
  console.log(`${name.padEnd(22)}${figures.join('   ')}`)
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

async function real(lab: Lab): Promise<Servers> {
  const started = await SigstoreLab.start(lab)
  return {
    name: 'real servers',
    urls: { fulcio: started.url('fulcio'), rekor1: started.url('rekor1'), rekor2: started.url('rekor2'), tsa: started.url('tsa') },
    token: async () => new Secret(await started.token()),
    trustedRoot: JSON.parse(await readFile(started.trustedRoot, 'utf8')) as unknown,
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  }
}
