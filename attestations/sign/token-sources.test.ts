import { execFileSync } from 'node:child_process'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Secret } from '../../verifier/model/secret.ts'
import type { TokenSource } from './identity-token.ts'
import { type MockSigstore, startMockSigstore } from './testing/mock-sigstore.ts'
import { tokenFromCi, tokenFromFile, tokenFromUrl } from './token-sources.ts'

let folder: string
let mock: MockSigstore
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-token-'))
  mock = await startMockSigstore()
})
afterEach(async () => {
  await mock[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const never = new AbortController().signal
const patience = { timeout: 10_000, retries: 3, retryDelay: 1 }
const ask = async (source: TokenSource): Promise<string> => (await source(never)).reveal()

describe('a token from a file', () => {
  it('is the one that is there when it is asked for', async () => {
    const file = path.join(folder, 'token')
    const source = tokenFromFile(file)
    await writeFile(file, 'first\n')
    expect(await ask(source)).toBe('first')
    await writeFile(`${file}.new`, 'second\n')
    await rename(`${file}.new`, file)
    expect(await ask(source)).toBe('second')
  })

  it('is unreadable where there is no such file, it is a folder, a pipe or a device, or it is too long', async () => {
    const [pipe, long] = ['pipe', 'long'].map((name) => path.join(folder, name)) as [string, string]
    execFileSync('mkfifo', [pipe])
    await writeFile(long, 'x'.repeat(64 * 1024 + 1))
    for (const file of [path.join(folder, 'absent'), folder, pipe, '/dev/zero', long])
      await expect(ask(tokenFromFile(file))).rejects.toMatchObject({ code: 'identity-token-unreadable', retryable: true })
  })
})

describe('a token from an address', () => {
  it('is asked for with the bearer that is in the file, and read from JSON', async () => {
    const bearer = path.join(folder, 'bearer')
    const source = tokenFromUrl(mock.urls.issuer, { bearer, patience })
    await writeFile(bearer, 'one\n')
    expect((await ask(source)).split('.')).toHaveLength(3)
    await writeFile(bearer, 'two\n')
    await ask(source)
    await ask(tokenFromUrl(mock.urls.issuer, { patience }))
    expect(mock.requests.map(({ authorization }) => authorization)).toEqual(['Bearer one', 'Bearer two', null])
  })

  it('is read as text too', async () => {
    mock.meddle('issuer', () => ({ status: 200, body: ' plain.token.text\n' }))
    expect(await ask(tokenFromUrl(mock.urls.issuer, { patience }))).toBe('plain.token.text')
  })

  it('is asked for again where the server is not well, and not where it refuses or sends us elsewhere', async () => {
    mock.meddle('issuer', async ({ count }, honest) => (count < 4 ? { status: 503, body: 'planted' } : await honest()))
    expect((await ask(tokenFromUrl(mock.urls.issuer, { patience }))).split('.')).toHaveLength(3)
    for (const status of [401, 302]) {
      mock.meddle('issuer', () => ({ status, body: 'planted', location: mock.urls.fulcio.href }))
      const failure: unknown = await ask(tokenFromUrl(mock.urls.issuer, { patience })).catch((error: unknown) => error)
      expect(failure).toMatchObject({ code: 'identity-token-unreadable', message: `the identity token cannot be read (HTTP ${status})` })
    }
    expect(mock.requests.map(({ service }) => service)).toEqual(Array.from({ length: 6 }, () => 'issuer'))
  })

  it.each(['{', '{"value": 1}', '{"token": "x"}', ''])('that is none, %j, comes out as none', async (body) => {
    mock.meddle('issuer', () => ({ status: 200, body }))
    expect(await ask(tokenFromUrl(mock.urls.issuer, { patience }))).toBe('')
  })

  it('is given up where the caller gives up', async () => {
    mock.meddle('issuer', () => 'hang')
    await expect(tokenFromUrl(mock.urls.issuer, { patience })(AbortSignal.timeout(50))).rejects.toMatchObject({ name: 'TimeoutError' })
  })
})

describe('a token of a CI system', () => {
  it('is asked for on GitHub for the audience of Fulcio', async () => {
    const url = new URL(`${mock.urls.issuer.href}?api-version=2.0`)
    const source = tokenFromCi({ github: { url, bearer: new Secret('runner') }, token: new Secret('unused') }, patience)
    expect((await ask(source)).split('.')).toHaveLength(3)
    expect(mock.requests).toMatchObject([{ path: 'token?api-version=2.0&audience=sigstore', authorization: 'Bearer runner' }])
  })

  it('is what the environment says elsewhere', async () => {
    expect(await ask(tokenFromCi({ github: null, token: new Secret('given ') }))).toBe('given')
  })

  it('is missing where there is none, with what to do', async () => {
    await expect(ask(tokenFromCi({ github: null, token: null }))).rejects.toMatchObject({ code: 'identity-token-missing' })
  })
})
