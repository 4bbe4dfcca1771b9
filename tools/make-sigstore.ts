import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { stringify } from 'yaml'
import { trustedRootOf } from './sigstore-trusted-root.ts'

/**
 * `node tools/make-sigstore.ts ISSUER CLIENT-ID [FOLDER]`: makes the keys, certificates and settings of the private Sigstore of
 * docker-compose.yml in deploy/sigstore, or in FOLDER: `private/` for its servers alone, `public/` for everybody, trusted_root.json
 * among it. ISSUER is who vouches for the coordinator by identity tokens that are meant for CLIENT-ID. Needs openssl.
 */
const USAGE = 'usage: node tools/make-sigstore.ts https://ISSUER CLIENT-ID [FOLDER]'
const run = promisify(execFile)
/** Ten years: whoever loses the keys makes another instance. */
const DAYS = '3650'
const CA = 'keyUsage=critical,keyCertSign,cRLSign'

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`make-sigstore: ${error instanceof Error ? error.message : String(error)}`)
  return 1
})

async function main([
  issuer,
  client,
  folder = path.join(import.meta.dirname, '..', 'deploy', 'sigstore'),
]: readonly string[]): Promise<number> {
  if (issuer === undefined || client === undefined || !/^https?:\/\/[^\s"'\\]+$/.test(issuer)) {
    console.error(USAGE)
    return 2
  }
  const [closed, open] = [path.join(folder, 'private'), path.join(folder, 'public')]
  await mkdir(open, { recursive: true })
  // What signed once has to stay: a second run would make statements of the first unverifiable.
  await mkdir(closed, { mode: 0o700 }).catch(() => Promise.reject(new Error(`${closed} is there already; nothing was changed`)))
  const work = await mkdtemp(path.join(closed, '.making-'))
  try {
    await make(work, { issuer, client })
    for (const name of ['fulcio-settings.yaml', 'fulcio.key', 'ct.key', 'rekor.key', 'timestamp.key']) await place(work, closed, name)
    for (const name of ['fulcio-chain.pem', 'fulcio-issuers.yaml', 'ct.pub', 'rekor.pub', 'timestamp-chain.pem', 'trusted_root.json'])
      await place(work, open, name)
  } catch (error) {
    await rm(closed, { recursive: true, force: true })
    throw error
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  console.log(`made ${closed} and ${open}`)
  return 0
}

/** Readable by the servers' users, in a folder that nobody else may enter. */
async function place(work: string, folder: string, name: string): Promise<void> {
  await chmod(path.join(work, name), 0o444)
  await rename(path.join(work, name), path.join(folder, name))
}

async function make(work: string, { issuer, client }: { readonly issuer: string; readonly client: string }): Promise<void> {
  const at = (name: string): string => path.join(work, name)
  const openssl = async (...args: string[]): Promise<void> => void (await run('openssl', args, { cwd: work }))
  const p256 = (name: string): Promise<void> => openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', name)

  await authority('fulcio', `basicConstraints=critical,CA:TRUE,pathlen:0\n${CA}\nextendedKeyUsage=codeSigning`)
  await authority(
    'timestamp',
    'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping',
  )
  await p256('ct.key')
  await openssl('pkey', '-in', 'ct.key', '-pubout', '-out', 'ct.pub')
  await openssl('genpkey', '-algorithm', 'ED25519', '-out', 'rekor.key')
  await openssl('pkey', '-in', 'rekor.key', '-pubout', '-out', 'rekor.pub')

  // Fulcio takes an encrypted key alone; the password lies beside it, in a file of settings rather than on a command line.
  const password = randomBytes(24).toString('hex')
  await writeFile(at('password'), password, { mode: 0o600 })
  await openssl('pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-passout', 'file:password', '-in', 'fulcio.plain', '-out', 'fulcio.key')
  await rename(at('timestamp.plain'), at('timestamp.key'))
  const settings = {
    host: '0.0.0.0',
    port: '5555',
    'grpc-host': '127.0.0.1',
    'grpc-port': '5554',
    ca: 'fileca',
    'fileca-cert': '/etc/fulcio/chain.pem',
    'fileca-key': '/run/secrets/fulcio-key',
    'fileca-key-passwd': password,
    'fileca-watch': false,
    'ct-log-url': 'http://certificate-log:6962',
    'ct-log-public-key-path': '/etc/fulcio/ct.pub',
    'config-path': '/etc/fulcio/issuers.yaml',
    log_type: 'prod',
  }
  await writeFile(at('fulcio-settings.yaml'), stringify(settings))
  const issuers = { 'oidc-issuers': { [issuer]: { 'issuer-url': issuer, 'client-id': client, type: 'email' } } }
  await writeFile(at('fulcio-issuers.yaml'), stringify(issuers))
  const read = (name: string): Promise<string> => readFile(at(name), 'utf8')
  const root = trustedRootOf({
    fulcioChain: await read('fulcio-chain.pem'),
    timestampChain: await read('timestamp-chain.pem'),
    ctKey: await read('ct.pub'),
    rekorKey: await read('rekor.pub'),
    since: new Date(),
  })
  await writeFile(at('trusted_root.json'), `${JSON.stringify(root, null, 2)}\n`)

  /** A root that signs once and is thrown away, and the certificate that is used: `NAME.plain` and `NAME-chain.pem`. */
  async function authority(name: string, extensions: string): Promise<void> {
    await p256('root.key')
    const root = ['-addext', 'basicConstraints=critical,CA:TRUE,pathlen:1', '-addext', CA]
    await openssl(
      'req',
      '-x509',
      '-new',
      '-key',
      'root.key',
      '-sha256',
      '-days',
      DAYS,
      '-subj',
      `/O=bitwitness/CN=${name} root`,
      '-out',
      'root.pem',
      ...root,
    )
    await p256(`${name}.plain`)
    await openssl('req', '-new', '-key', `${name}.plain`, '-subj', `/O=bitwitness/CN=${name}`, '-out', 'request.csr')
    await writeFile(at('extensions'), `${extensions}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n`)
    const signed = ['-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial', '-sha256', '-days', DAYS, '-extfile', 'extensions']
    await openssl('x509', '-req', '-in', 'request.csr', ...signed, '-out', 'leaf.pem')
    await writeFile(at(`${name}-chain.pem`), `${await readFile(at('leaf.pem'), 'utf8')}${await readFile(at('root.pem'), 'utf8')}`)
    await rm(at('root.key'))
  }
}
