import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json }

/** Canonical JSON as TUF signs it: sorted keys, no white space. */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((inner: Json) => canonical(inner)).join(',')}]`
  if (typeof value !== 'object') return JSON.stringify(value)
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner as Json)}`).join(',')}}`
}

/**
 * A TUF repository (specification 1.0) on 127.0.0.1 that gives one target, `trusted_root.json`. One key signs for all roles. `publish`
 * gives the target other content in a newer version of everything but the root.
 */
export async function tufRepository(content: string) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const key = {
    keytype: 'ed25519',
    scheme: 'ed25519',
    keyval: { public: publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('hex') },
  }
  const keyid = createHash('sha256').update(canonical(key)).digest('hex')
  const head = (type: string, version: number) => ({ _type: type, spec_version: '1.0.31', version, expires: '2099-01-01T00:00:00Z' })
  const signed = (body: Json): string =>
    JSON.stringify({ signatures: [{ keyid, sig: sign(null, Buffer.from(canonical(body)), privateKey).toString('hex') }], signed: body })
  const role = { keyids: [keyid], threshold: 1 }
  const root = signed({
    ...head('root', 1),
    consistent_snapshot: true,
    keys: { [keyid]: key },
    roles: { root: role, timestamp: role, snapshot: role, targets: role },
  })
  const files = new Map<string, string>()
  const publish = (text: string, version: number): void => {
    const sha256 = createHash('sha256').update(text).digest('hex')
    files.set(`/targets/${sha256}.trusted_root.json`, text)
    files.set(
      `/${version}.targets.json`,
      signed({ ...head('targets', version), targets: { 'trusted_root.json': { length: Buffer.byteLength(text), hashes: { sha256 } } } }),
    )
    files.set(`/${version}.snapshot.json`, signed({ ...head('snapshot', version), meta: { 'targets.json': { version } } }))
    files.set('/timestamp.json', signed({ ...head('timestamp', version), meta: { 'snapshot.json': { version } } }))
  }
  publish(content, 1)
  const server = createServer((request, response) => {
    const file = files.get(request.url ?? '')
    response.writeHead(file === undefined ? 404 : 200).end(file)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    root,
    publish,
    files,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
