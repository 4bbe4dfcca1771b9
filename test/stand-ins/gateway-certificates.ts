import { execFile } from 'node:child_process'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A key with its certificate, PEM. */
export type Certified = { readonly key: string; readonly cert: string }

const P256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'] as const

/** An authority, and a certificate of its for all names of a domain. */
export async function makeGatewayCertificates(base: string): Promise<Certified & { readonly authority: string }> {
  await using room = await openRoom()
  const { openssl, at, read } = room
  await openssl('req', '-x509', ...P256, '-days', '2', '-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=stand-in authority')
  await openssl('req', ...P256, '-keyout', at('key'), '-out', at('csr'), '-subj', '/CN=stand-in gateway')
  await writeFile(at('names'), `subjectAltName=DNS:*.${base},DNS:${base}\n`)
  const signing = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('names')]
  await openssl('x509', '-req', '-in', at('csr'), '-out', at('cert'), ...signing)
  return { authority: await read('ca.pem'), key: await read('key'), cert: await read('cert') }
}

/** A key of a guest's own, with a certificate that carries what `quoteFor` makes of the key (dstack, ra-tls). */
export async function makeGuestCertificate(name: string, quoteFor: (publicKey: KeyObject) => Buffer): Promise<Certified> {
  await using room = await openRoom()
  const { openssl, at, read } = room
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  await writeFile(at('key'), key)
  const quote = quoteFor(publicKey)
  const octets = Buffer.concat([Buffer.from([0x04, 0x82, quote.length >> 8, quote.length & 0xff]), quote])
  const config = [
    '[req]',
    'distinguished_name=dn',
    'x509_extensions=ext',
    'prompt=no',
    '[dn]',
    'CN=guest',
    '[ext]',
    `subjectAltName=DNS:${name}`,
  ]
  await writeFile(at('config'), [...config, `1.3.6.1.4.1.62397.1.1=DER:${octets.toString('hex')}`, ''].join('\n'))
  await openssl('req', '-x509', '-key', at('key'), '-out', at('cert'), '-days', '2', '-config', at('config'))
  return { key, cert: await read('cert') }
}

async function openRoom() {
  const folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-gateway-'))
  const at = (name: string): string => path.join(folder, name)
  return {
    at,
    openssl: async (...args: string[]): Promise<void> => void (await run('openssl', args, { cwd: folder, timeout: 30_000 })),
    read: (name: string): Promise<string> => readFile(at(name), 'utf8'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
