import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'

export type RegistryAccount = { readonly username: string; readonly password: string }

/** Debian's docker-registry on a free port of this machine, its files in a folder of the test's. */
export class RegistryServer implements AsyncDisposable {
  readonly host: string
  readonly folder: string
  /** PEM of the authority that its certificate is from. */
  readonly authority: string | null
  #process: ChildProcess | undefined

  private constructor(o: { host: string; folder: string; authority: string | null }) {
    this.host = o.host
    this.folder = o.folder
    this.authority = o.authority
  }

  /** With TLS it has a certificate for 127.0.0.1 by an authority of its own, with an account it wants to be logged into. */
  static async start(folder: string, o: { tls?: boolean; account?: RegistryAccount } = {}): Promise<RegistryServer> {
    await mkdir(folder, { recursive: true })
    const port = await freePort()
    const authority = o.tls === true ? await makeCertificates(folder) : null
    const config = {
      version: 0.1,
      log: { accesslog: { disabled: true }, level: 'error' },
      storage: { filesystem: { rootdirectory: path.join(folder, 'storage') } },
      http: {
        addr: `127.0.0.1:${port}`,
        // Fixed, so that an upload can go on after a restart.
        secret: randomBytes(16).toString('hex'),
        ...(authority === null ? {} : { tls: { certificate: path.join(folder, 'server.pem'), key: path.join(folder, 'server.key') } }),
      },
      ...(o.account === undefined ? {} : { auth: { htpasswd: { realm: 'test', path: await makePasswords(folder, o.account) } } }),
    }
    // JSON is YAML.
    await writeFile(path.join(folder, 'config.yml'), JSON.stringify(config))
    const server = new RegistryServer({ host: `127.0.0.1:${port}`, folder, authority })
    await server.up()
    return server
  }

  async up(): Promise<void> {
    const child = spawn('docker-registry', ['serve', path.join(this.folder, 'config.yml')], { stdio: 'ignore' })
    this.#process = child
    const failed = new Promise<never>((_, reject) => child.on('error', reject))
    failed.catch(() => {})
    for (let tries = 0; ; tries += 1) {
      // It is there once anything answers: TLS with an authority that Node does not know is an answer as well.
      const answered = await Promise.race([
        fetch(`http://${this.host}/v2/`).then(
          () => true,
          () => false,
        ),
        failed,
      ])
      if (answered) return
      if (child.exitCode !== null || tries > 200) throw new Error('docker-registry did not come up')
      await delay(50)
    }
  }

  /** As a machine that goes away: nothing is finished. */
  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'close')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function makeCertificates(folder: string): Promise<string> {
  const at = (name: string): string => path.join(folder, name)
  const openssl = (...args: string[]) => execa('openssl', args)
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  await openssl('req', '-x509', ...key, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-days', '2', '-subj', '/CN=test authority')
  await openssl('req', ...key, '-keyout', at('server.key'), '-out', at('server.csr'), '-subj', '/CN=127.0.0.1')
  await writeFile(at('extensions'), 'subjectAltName=IP:127.0.0.1\n')
  const signing = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('extensions')]
  await openssl('x509', '-req', '-in', at('server.csr'), '-out', at('server.pem'), ...signing)
  return at('ca.pem')
}

async function makePasswords(folder: string, { username, password }: RegistryAccount): Promise<string> {
  const file = path.join(folder, 'passwords')
  const { stdout } = await execa('htpasswd', ['-niB', username], { input: password })
  await writeFile(file, `${stdout.trim()}\n`)
  return file
}
