import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { contentDigest } from './content-digest.ts'
import type { CoveredRequest } from './covered-request.ts'
import { NonceMemory } from './nonce-memory.ts'
import { signRequest } from './sign-request.ts'
import { verifyRequest } from './verify-request.ts'
import { WorkerKey } from './worker-key.ts'

const NOW = new Date(Date.UTC(2026, 0, 1))
const later = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000)
const key = new WorkerKey(generateKeyPairSync('ed25519').privateKey)
const otherKey = new WorkerKey(generateKeyPairSync('ed25519').privateKey)

type Fields = Readonly<Record<string, string>>
type Sent = { readonly method: string; readonly target: string; readonly fields: Fields }

const BODY = '{"schema":"bitwitness/worker-claim/v1"}'
const claim: CoveredRequest = {
  method: 'POST',
  target: '/v1/worker/claim',
  body: { contentType: 'application/json', sha256: digestOf(BODY) },
}
const fetchBlob: CoveredRequest = { method: 'GET', target: `/v1/worker/blobs/${digestOf('x')}?lease=1`, body: null }

let nonces: NonceMemory
beforeEach(() => {
  nonces = new NonceMemory({ since: later(-1000).getTime() / 1000 })
})

let count = 0
function signed(request: CoveredRequest, o: { key?: WorkerKey; now?: Date } = {}): Sent {
  count += 1
  const nonce = Buffer.alloc(16)
  nonce.writeUInt32BE(count)
  const fields = signRequest(request, { key: o.key ?? key, now: o.now ?? NOW, nonce })
  return { method: request.method, target: request.target, fields }
}

function verified({ method, target, fields }: Sent, now = NOW) {
  return verifyRequest(
    { method, target, header: (name) => fields[name] ?? null },
    { withKey: async (publicKey) => (publicKey === key.publicKey ? 'worker' : undefined), now, nonces },
  )
}

async function codeOf(sent: Sent, now = NOW): Promise<unknown> {
  return await verified(sent, now).then(
    () => 'taken',
    (error: unknown) => (error as { code?: unknown }).code,
  )
}

const withField = (sent: Sent, name: string, value: string | undefined): Sent => {
  const { [name]: _, ...rest } = sent.fields
  return { ...sent, fields: value === undefined ? rest : { ...rest, [name]: value } }
}
const changed = (sent: Sent, name: string, change: (value: string) => string): Sent =>
  withField(sent, name, change(sent.fields[name] ?? ''))

describe('a request that a worker signed', () => {
  it('is known by its key, and says which body belongs to it', async () => {
    expect(await verified(signed(claim))).toEqual({ worker: 'worker', body: digestOf(BODY) })
    expect(await verified(signed(fetchBlob))).toEqual({ worker: 'worker', body: null })
    const empty = { ...claim, body: { contentType: 'application/json', sha256: digestOf('') } }
    expect(await verified(signed(empty))).toEqual({ worker: 'worker', body: digestOf('') })
  })

  it('is signed over these lines', () => {
    expect(signed(claim).fields).toEqual({
      'content-type': 'application/json',
      'content-digest': contentDigest(digestOf(BODY)),
      'signature-input': expect.stringMatching(
        /^bitwitness=\("@method" "@path" "@query" "content-digest" "content-type"\);created=1767225600;nonce="[\w-]{22}";keyid="MCow.{56}"$/,
      ),
      signature: expect.stringMatching(/^bitwitness=:.{88}:$/),
    })
    expect(Object.keys(signed(fetchBlob).fields)).toEqual(['signature-input', 'signature'])
  })

  it('counts once', async () => {
    const sent = signed(claim)
    expect([await codeOf(sent), await codeOf(sent), await codeOf(signed(claim))]).toEqual(['taken', 'worker-signature-replayed', 'taken'])
  })

  it('counts for five minutes, or a minute ahead', async () => {
    expect(await codeOf(signed(claim), later(300))).toBe('taken')
    expect(await codeOf(signed(claim), later(301))).toBe('worker-signature-stale')
    // Before anybody looks for its key.
    expect(await codeOf(signed(claim, { key: otherKey }), later(301))).toBe('worker-signature-stale')
    expect(await codeOf(signed(claim), later(-60))).toBe('taken')
    expect(await codeOf(signed(claim), later(-61))).toBe('worker-signature-stale')
  })

  it('does not count where it could have been taken before this process remembered anything', async () => {
    nonces = new NonceMemory({ since: NOW.getTime() / 1000 })
    expect(await codeOf(signed(claim, { now: later(-1) }))).toBe('worker-signature-stale')
    expect(await codeOf(signed(claim))).toBe('taken')
  })

  it('is nobody’s where no worker has the key', async () => {
    expect(await codeOf(signed(claim, { key: otherKey }))).toBe('worker-signature-invalid')
  })

  it('leaves no trace in the memory where it is not valid', async () => {
    const sent = signed(claim)
    const forged = changed(sent, 'signature', () => `bitwitness=:${Buffer.alloc(64).toString('base64')}:`)
    expect([await codeOf(forged), await codeOf(sent)]).toEqual(['worker-signature-invalid', 'taken'])
  })
})

describe('a signature', () => {
  const elsewhere = fc.constantFrom<(sent: Sent) => Sent>(
    (sent) => ({ ...sent, method: sent.method === 'POST' ? 'PUT' : 'HEAD' }),
    (sent) => ({ ...sent, target: `${sent.target}/` }),
    (sent) => ({ ...sent, target: sent.target.replace('worker', 'Worker') }),
    (sent) => ({ ...sent, target: `${sent.target}${sent.target.includes('?') ? '&' : '?'}a` }),
    (sent) => ({ ...sent, target: sent.target.includes('?') ? sent.target.replace(/\?.*/, '') : `${sent.target}?a=b` }),
    (sent) => changed(sent, 'signature-input', (text) => text.replace(/created=(\d+)/, (_, at) => `created=${Number(at) + 1}`)),
    (sent) =>
      changed(sent, 'signature-input', (text) => text.replace(/nonce="./, (start) => (start.endsWith('B') ? 'nonce="C' : 'nonce="B'))),
    (sent) => changed(sent, 'signature-input', (text) => text.replace(key.publicKey, otherKey.publicKey)),
    (sent) => changed(sent, 'signature', (text) => text.replace(/=:./, (start) => (start.endsWith('B') ? '=:C' : '=:B'))),
    (sent) => withField(sent, 'content-digest', contentDigest(digestOf('else'))),
    (sent) => withField(sent, 'content-type', 'text/plain'),
  )

  it('is broken by any change of method, path, query, body, type, time, nonce or key', async () => {
    const target = fc.webPath().map((text) => `/v1/worker${text.startsWith('/') ? text : `/${text}`}`)
    const request = fc.record({
      method: fc.constant('POST'),
      target: fc.tuple(target, fc.webQueryParameters()).map(([to, query]) => (query === '' ? to : `${to}?${query}`)),
      body: fc.record({ contentType: fc.constantFrom('application/json', 'application/octet-stream'), sha256: fc.string().map(digestOf) }),
    })
    await fc.assert(
      fc.asyncProperty(request, elsewhere, async (covered, change) => {
        const sent = signed(covered)
        const other = change(sent)
        fc.pre(JSON.stringify(other) !== JSON.stringify(sent))
        expect(await codeOf(other)).toBe('worker-signature-invalid')
        expect(await codeOf(sent)).toBe('taken')
      }),
    )
  })

  const input = (change: (text: string) => string) => (sent: Sent) => changed(sent, 'signature-input', change)
  it.each<[string, string, (sent: Sent) => Sent]>([
    [
      'is not there',
      'worker-signature-missing',
      (sent) => withField(withField(sent, 'signature', undefined), 'signature-input', undefined),
    ],
    ['has no input', 'worker-signature-malformed', (sent) => withField(sent, 'signature-input', undefined)],
    ['has an input alone', 'worker-signature-malformed', (sent) => withField(sent, 'signature', undefined)],
    ['is said twice', 'worker-signature-malformed', (sent) => changed(sent, 'signature', (text) => `${text}, ${text}`)],
    ['has an input twice', 'worker-signature-malformed', input((text) => `${text}, ${text}`)],
    ['stands beside another', 'worker-signature-malformed', input((text) => `${text}, other${text.slice('bitwitness'.length)}`)],
    ['has another label', 'worker-signature-malformed', input((text) => text.replace('bitwitness=', 'sig1='))],
    ['covers less', 'worker-signature-malformed', input((text) => text.replace(' "content-digest" "content-type"', ''))],
    ['covers all but the query', 'worker-signature-malformed', input((text) => text.replace(' "@query"', ''))],
    ['covers nothing', 'worker-signature-malformed', input((text) => text.replace(/\(.*\)/, '()'))],
    ['covers a thing twice', 'worker-signature-malformed', input((text) => text.replace('"@path"', '"@path" "@path"'))],
    ['covers more', 'worker-signature-malformed', input((text) => text.replace('"@path"', '"@path" "@authority"'))],
    ['covers it in another order', 'worker-signature-malformed', input((text) => text.replace('"@method" "@path"', '"@path" "@method"'))],
    ['covers a component with parameters', 'worker-signature-malformed', input((text) => text.replace('"@path"', '"@path";req'))],
    ['has a parameter too many', 'worker-signature-malformed', input((text) => `${text};expires=9`)],
    ['names an algorithm', 'worker-signature-malformed', input((text) => `${text};alg="hmac-sha256"`)],
    ['has a parameter twice', 'worker-signature-malformed', input((text) => text.replace(';nonce', ';created=1;nonce'))],
    ['has no nonce', 'worker-signature-malformed', input((text) => text.replace(/;nonce="[^"]*"/, ''))],
    ['has a short nonce', 'worker-signature-malformed', input((text) => text.replace(/nonce="[^"]*"/, 'nonce="A"'))],
    ['is of a time with a fraction', 'worker-signature-malformed', input((text) => text.replace(/created=(\d+)/, 'created=$1.5'))],
    ['is of a time in another spelling', 'worker-signature-malformed', input((text) => text.replace('created=', 'created=0'))],
    ['has spaces where none are', 'worker-signature-malformed', input((text) => text.replace(';nonce', '; nonce'))],
    ['is of a key that is none', 'worker-signature-malformed', input((text) => text.replace(/keyid="[^"]*"/, 'keyid="test"'))],
    ['is cut', 'worker-signature-malformed', (sent) => changed(sent, 'signature', (text) => `${text.slice(0, -5)}:`)],
    ['comes without the digest of the body', 'content-digest-missing', (sent) => withField(sent, 'content-digest', undefined)],
    ['comes with two digests', 'content-digest-malformed', (sent) => changed(sent, 'content-digest', (text) => `${text}, ${text}`)],
    ['comes without a type', 'worker-signature-malformed', (sent) => withField(sent, 'content-type', undefined)],
  ])('that %s is refused as %s', async (_, code, change) => {
    const sent = signed(claim)
    expect(await codeOf(change(sent))).toBe(code)
    expect(await codeOf(sent)).toBe('taken')
  })

  it('that covers no body is refused where there is one', async () => {
    expect(await codeOf(withField(signed(fetchBlob), 'content-length', '5'))).toBe('worker-body-unexpected')
    expect(await codeOf(withField(signed(fetchBlob), 'transfer-encoding', 'chunked'))).toBe('worker-body-unexpected')
    expect(await codeOf(withField(signed(fetchBlob), 'content-length', '0'))).toBe('taken')
    const uncovered = signed({ ...claim, body: null })
    expect(await codeOf(uncovered)).toBe('content-digest-missing')
  })

  it('repeats nothing of the request where it is refused', async () => {
    for (const change of [
      (sent: Sent) => changed(sent, 'signature', (text) => `${text}x`),
      (sent: Sent) => ({ ...sent, target: '/elsewhere' }),
    ]) {
      const sent = change(signed(claim))
      const failure: unknown = await verified(sent).catch((error: unknown) => error)
      const { message, hint } = failure as { message: string; hint: string }
      for (const value of [...Object.values(sent.fields), sent.target]) expect(`${message} ${hint}`).not.toContain(value)
    }
  })
})
