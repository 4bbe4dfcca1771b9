import type { ChildProcess } from 'node:child_process'
import { createReadStream, createWriteStream, statSync } from 'node:fs'
import { mkdir, symlink } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { readSettings } from '../src/config/settings.ts'
import { DemoFailed } from './demo-files.ts'
import type { DemoProcesses, Environment } from './demo-processes.ts'

/**
 * A service of the demonstration's own, in a process of its own: on a free port, with a database and a key that nothing else knows. It has
 * the blobs and builders of this user's home, so that what was made is not made again.
 */
export class DemoService implements AsyncDisposable {
  readonly url: string
  readonly environment: Environment
  readonly #processes: DemoProcesses
  readonly #child: ChildProcess

  private constructor(o: { readonly processes: DemoProcesses; readonly child: ChildProcess; url: string; environment: Environment }) {
    this.#processes = o.processes
    this.#child = o.child
    this.url = o.url
    this.environment = o.environment
  }

  /** Its home. */
  static homeIn(folder: string): string {
    return path.join(folder, 'home')
  }

  /** Where it reads policies. */
  static policiesIn(folder: string): string {
    return path.join(folder, 'policies')
  }

  /** `folder` gets its home and its log. What it says where it listens is handed on. */
  static async start(processes: DemoProcesses, folder: string, say: (text: string) => void): Promise<DemoService> {
    const home = DemoService.homeIn(folder)
    const own = readSettings(process.env).home
    await mkdir(home, { recursive: true, mode: 0o700 })
    await mkdir(DemoService.policiesIn(folder), { recursive: true })
    for (const shared of ['blobs', 'builders']) await symlink(path.join(own, shared), path.join(home, shared))
    const environment = {
      BITWITNESS_HOME: home,
      BITWITNESS_LISTEN: '127.0.0.1:0',
      // The publisher of the demonstration is a repository and a web server on this machine.
      BITWITNESS_SOURCES_ALLOW: 'local-repositories plain-http private-hosts',
      BITWITNESS_POLICIES: DemoService.policiesIn(folder),
      // Who interrupts the demonstration does not wait for the build that runs.
      BITWITNESS_GRACE: '1s',
    }
    const child = processes.start(['serve'], { stdio: ['ignore', 'pipe', 'pipe'], environment })
    const log = path.join(folder, 'service.log')
    child.stderr?.pipe(createWriteStream(log, { mode: 0o600 }))
    const said = await new Promise<string>((resolve, reject) => {
      let text = ''
      child.stdout?.on('data', (part: Buffer) => {
        text += part.toString('utf8')
        if (text.includes('Ctrl-C')) resolve(text)
      })
      child.on('close', () => reject(new DemoFailed(`the service ended; its log is ${log}`)))
    })
    say(said.trimEnd())
    const [url] = /http:\/\/\S+/.exec(said) ?? []
    if (url === undefined) throw new DemoFailed('the service does not say where it listens')
    return new DemoService({ processes, child, url, environment })
  }

  async get(route: string): Promise<Buffer> {
    const answer = await fetch(new URL(route, this.url))
    if (answer.status !== 200) throw new DemoFailed(`the service answered ${route} with ${answer.status}`)
    return Buffer.from(await answer.arrayBuffer())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const closed = new Promise((resolve) => this.#child.once('close', resolve))
    this.#processes.end(this.#child)
    await closed
  }
}

/** The publisher's web server: files of one folder by their name. */
export class DemoPublisher implements AsyncDisposable {
  readonly url: string
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  }

  static async start(files: Readonly<Record<string, string>>): Promise<DemoPublisher> {
    const server = createServer((request, response) => {
      const file = files[(request.url ?? '').slice(1)]
      if (file === undefined) return void response.writeHead(404).end()
      response.writeHead(200, { 'content-length': statSync(file).size })
      createReadStream(file, { highWaterMark: 1 << 20 }).pipe(response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new DemoPublisher(server)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
