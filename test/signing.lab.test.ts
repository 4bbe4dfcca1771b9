import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fetchedTools, NO_TOOLS } from '../attestations/verify/testing/fetched-tools.ts'
import { runTool, type Tools } from '../attestations/verify/testing/other-tools.ts'
import type { AttestationSet } from '../src/app/attestation-set.ts'
import { golden } from '../src/cli/testing/terminal.ts'
import { findLab, NO_LAB } from '../tools/sigstore-lab.ts'
import { type CliEnd, runCli } from './cli-process.ts'
import { SigstoreLab, WORKFLOW } from './sigstore-lab.ts'

const found = findLab()
const tools = fetchedTools()

type Setting = { readonly lab: SigstoreLab; readonly tools: Tools }
let setting: Setting | undefined
beforeAll(async () => {
  if (found !== undefined && tools !== undefined) setting = { lab: await SigstoreLab.start(found), tools }
})
afterAll(() => setting?.lab[Symbol.asyncDispose]())

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-lab-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** What a test needs, or it is skipped. */
function needed(skip: (why: string) => never): Setting {
  return setting ?? skip(found === undefined ? NO_LAB : NO_TOOLS)
}

const at = (name: string): string => path.join(folder, name)

const bitwitness = (args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<CliEnd> =>
  runCli(args, { home: at('home'), engine: 'unix:///nowhere', environment })

/** Signs a golden report with an identity token that is in a file. */
async function attest(
  { lab }: Setting,
  version: 1 | 2,
  o: { readonly token?: string; readonly args?: readonly string[]; readonly rekor?: URL } = {},
): Promise<CliEnd> {
  await writeFile(at('token'), `${o.token ?? (await lab.token())}\n`, { mode: 0o600 })
  await writeFile(at('report.json'), golden('verification-reproduced.json'))
  return await bitwitness(['attest', at('report.json'), '-o', at('out'), '--json', ...(o.args ?? [])], {
    BITWITNESS_SIGNER: 'sigstore',
    BITWITNESS_FULCIO_URL: lab.url('fulcio').href,
    BITWITNESS_REKOR_URL: (o.rekor ?? lab.url(`rekor${version}`)).href,
    BITWITNESS_REKOR_VERSION: String(version),
    BITWITNESS_TSA_URL: lab.url('tsa').href,
    BITWITNESS_TRUSTED_ROOT: lab.trustedRoot,
    BITWITNESS_IDENTITY_TOKEN: at('token'),
    BITWITNESS_BUILDER_ID: 'https://witness.example/builder',
  })
}

type Asked = { readonly identity: string; readonly sha256: string; readonly predicateType: string; readonly file: string }

/** What ours, cosign and sigstore-go say to one bundle, each in its own words where it refuses. */
async function verdicts({ lab, tools: { cosign, sigstoreGo } }: Setting, { identity, sha256, predicateType, file }: Asked) {
  const root = 'trusted_root.json'
  const names = ['--certificate-identity', identity, '--certificate-oidc-issuer', lab.issuer]
  const question = [at(`out/${file}`), '--digest', `sha256:${sha256}`, '--type', predicateType, '--trusted-root', at(`out/${root}`)]
  const { stdout } = await bitwitness(['attestation', 'verify', ...question, ...names, '--json'])
  const { verdict, code } = JSON.parse(stdout) as { verdict: string; code: string | null }
  const digest = ['--digest', sha256, '--digestAlg', 'sha256']
  const words = ['verify-blob-attestation', '--bundle', file, '--type', predicateType, ...names, '--trusted-root', root, ...digest]
  const about = ['-artifact-digest', sha256, '-artifact-digest-algorithm', 'sha256', '-trustedrootJSONpath', root]
  const library = [...about, '-expectedSAN', identity, '-expectedIssuer', lab.issuer]
  const run = async (program: string, args: readonly string[]): Promise<string> => {
    const { answer, output } = await runTool(program, args, at('out'))
    return answer === 'accepts' ? answer : output
  }
  return {
    ours: verdict === 'verified' ? 'accepts' : code,
    cosign: await run(cosign, words),
    stamped: await run(cosign, [...words, '--use-signed-timestamps']),
    sigstoreGo: await run(sigstoreGo, [...library, file]),
  }
}

/** Every byte that a run left: what it said and what it wrote. */
async function everything({ stdout, stderr }: CliEnd): Promise<string> {
  const files = existsSync(at('out')) ? await readdir(at('out')) : []
  return [stdout, stderr, ...(await Promise.all(files.map((name) => readFile(at(`out/${name}`), 'latin1'))))].join('\n')
}

/** What is in the claims of a token that must not show. */
const PLANTED = 'planted-in-the-token'

/** A token, or a part of it that is its own: whether anything of it shows. */
function shows(token: string, text: string): boolean {
  const [, payload = '', signature = ''] = token.split('.')
  return [token, payload, signature, PLANTED].some((part) => text.includes(part))
}

/** Exit code, and the code of the error document. */
const failureOf = ({ code, stdout }: CliEnd): unknown[] => [code, (JSON.parse(stdout) as { code: string }).code]

/** A way to a server on which the first answer is lost. */
async function losingFirstAnswer(to: URL): Promise<AsyncDisposable & { readonly url: URL; readonly statuses: readonly number[] }> {
  const statuses: number[] = []
  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const parts: Buffer[] = []
    for await (const part of incoming) parts.push(part as Buffer)
    const { method = 'GET', url = '/' } = incoming
    const headers = { 'content-type': 'application/json', accept: 'application/json' }
    const answer = await fetch(new URL(url, to), { method, headers, ...(method === 'POST' ? { body: Buffer.concat(parts) } : {}) })
    statuses.push(answer.status)
    const [body, location] = [await answer.text(), answer.headers.get('location')]
    if (statuses.length === 1) outgoing.writeHead(502).end('lost')
    else outgoing.writeHead(answer.status, { 'content-type': 'application/json', ...(location === null ? {} : { location }) }).end(body)
  }
  const server = createServer((incoming, outgoing) => void pass(incoming, outgoing)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    statuses,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe.each([1, 2] as const)('signing with an identity through real servers, and Rekor v%d', (version) => {
  it('gives bundles that ours, cosign and sigstore-go accept, and refuse for another signer or artifact', async ({ skip }) => {
    const world = needed(skip)
    const { code, stdout, stderr } = await attest(world, version)
    expect([code, stderr]).toEqual([0, ''])
    const set = JSON.parse(stdout) as AttestationSet
    const identity = `https://github.com/${WORKFLOW.job_workflow_ref}`
    expect(set.signer).toEqual({ kind: 'sigstore', issuer: world.lab.issuer, subjectAlternativeName: identity })
    expect(set.attestations.map(({ file }) => file)).toEqual(['provenance.sigstore.json', 'reproduced.sigstore.json'])
    for (const { predicateType, file, subjects, check } of set.attestations) {
      const asked = { identity, sha256: subjects[0]?.sha256 ?? '', predicateType, file }
      const accepts = 'accepts'
      expect(await verdicts(world, asked)).toEqual({ ours: accepts, cosign: accepts, stamped: accepts, sigstoreGo: accepts })
      expect(check.filter((word) => word.startsWith('--insecure'))).toEqual([])
      const other = /no matching CertificateIdentity found/
      expect(await verdicts(world, { ...asked, identity: `${identity}x` })).toEqual({
        ours: 'identity-mismatch',
        cosign: expect.stringMatching(other),
        stamped: expect.stringMatching(other),
        sigstoreGo: expect.stringMatching(other),
      })
      const elsewhere = /does not match any digest in statement/
      expect(await verdicts(world, { ...asked, sha256: 'ab'.repeat(32) })).toEqual({
        ours: 'subject-mismatch',
        cosign: expect.stringMatching(elsewhere),
        stamped: expect.stringMatching(elsewhere),
        sigstoreGo: expect.stringMatching(elsewhere),
      })
    }
  })

  it('leaves the token in nothing that it says or writes', async ({ skip }) => {
    const world = needed(skip)
    const token = await world.lab.token({ ...WORKFLOW, planted: PLANTED })
    const said = await everything(await attest(world, version, { token }))
    expect(said).toContain('dsseEnvelope')
    expect(shows(token, said)).toBe(false)
  })

  it('takes an entry whose answer was lost where its server gives it again, and else says that signing anew helps', async ({ skip }) => {
    const world = needed(skip)
    await using between = await losingFirstAnswer(world.lab.url(`rekor${version}`))
    const end = await attest(world, version, { rekor: between.url })
    if (version === 1) {
      // Trillian in memory takes the same leaf twice, where the ones with a database say 409; either way it is one entry.
      expect([end.code, (JSON.parse(end.stdout) as AttestationSet).attestations.length]).toEqual([0, 2])
      expect(between.statuses).toHaveLength(3 + Number(between.statuses.includes(409)))
      return
    }
    expect(between.statuses).toEqual([201, 409])
    expect([...failureOf(end), existsSync(at('out'))]).toEqual([3, 'rekor-failed', false])
  })
})

describe('a real server that says no', () => {
  it('is told by a code of ours, with nothing of the token and nothing of what it said', async ({ skip }) => {
    const world = needed(skip)
    const token = await world.lab.token({ ...WORKFLOW, planted: PLANTED }, 'somebody-else')
    const end = await attest(world, 1, { token })
    expect([...failureOf(end), existsSync(at('out'))]).toEqual([3, 'fulcio-refused', false])
    const said = await everything(end)
    expect([shows(token, said), /somebody-else|error processing/i.test(said)]).toEqual([false, false])
  })

  it.for(['acme', 'https://github.com/ACME/app', `https://github.com/${WORKFLOW.job_workflow_ref}`])(
    'is not even asked where the owner of the source signs: %s',
    async (owner, { skip }) => {
      const world = needed(skip)
      const before = await world.lab.certificates()
      const end = await attest(world, 1, { args: ['--owner', owner] })
      expect([...failureOf(end), existsSync(at('out'))]).toEqual([2, 'signer-is-owner', false])
      expect(await world.lab.certificates()).toBe(before)
    },
  )
})

// The last, since nothing gets the servers up again.
describe.each([1, 2] as const)('Rekor v%d that went away', (version) => {
  it('leaves no bundle, and the token nowhere', async ({ skip }) => {
    const world = needed(skip)
    await world.lab.kill(`rekor${version}`)
    const token = await world.lab.token({ ...WORKFLOW, planted: PLANTED })
    const end = await attest(world, version, { token })
    expect([...failureOf(end), existsSync(at('out'))]).toEqual([3, 'rekor-unreachable', false])
    expect(shows(token, await everything(end))).toBe(false)
  })
})
