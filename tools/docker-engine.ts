import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * `node tools/docker-engine.ts ping|start|stop`: asks whether a Docker engine answers, starts one where none does and root may,
 * stops the one that this program started and no other.
 */
const state = path.join(import.meta.dirname, '..', '.tools')
const pidFile = path.join(state, 'dockerd.pid')
const logFile = path.join(state, 'dockerd.log')

if (import.meta.main) process.exitCode = await main(process.argv[2] ?? '')

async function main(command: string): Promise<number> {
  switch (command) {
    case 'ping':
      return (await answers(process.env['DOCKER_HOST'])) ? 0 : 1
    case 'start':
      return start()
    case 'stop':
      return stop()
    default:
      console.error('usage: node tools/docker-engine.ts ping|start|stop')
      return 2
  }
}

/** Whether an engine answers at `host` (DOCKER_HOST's forms `unix://` and `tcp://`; unset: the default socket). */
export function answers(host: string | undefined, timeoutMs = 5000): Promise<boolean> {
  const target = addressOf(host)
  if (target === undefined) return Promise.resolve(false)
  return new Promise((resolve) => {
    const request = http.get({ ...target, path: '/_ping', timeout: timeoutMs }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(false))
  })
}

function addressOf(host: string | undefined): http.RequestOptions | undefined {
  if (host === undefined || host === '') return { socketPath: '/var/run/docker.sock' }
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) }
  if (!host.startsWith('tcp://') || !URL.canParse(host)) return undefined
  const url = new URL(host)
  return { host: url.hostname, port: url.port === '' ? 2375 : Number(url.port) }
}

async function start(): Promise<number> {
  if (await answers(process.env['DOCKER_HOST'])) return 0
  if ((process.env['DOCKER_HOST'] ?? '') !== '') {
    console.error('no Docker engine answers at DOCKER_HOST: start it there, or unset DOCKER_HOST')
    return 1
  }
  if (process.getuid?.() !== 0) {
    console.error('no Docker engine answers: start one (as root: systemctl start docker), or set DOCKER_HOST')
    return 1
  }
  await mkdir(state, { recursive: true })
  const log = openSync(logFile, 'a')
  const child = spawn('dockerd', [], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  })
  closeSync(log)
  const failed = new Promise<'failed'>((resolve) => {
    child.on('error', () => resolve('failed'))
    child.on('exit', () => resolve('failed'))
  })
  if (child.pid !== undefined) await writeFile(pidFile, `${child.pid}\n`)
  const deadline = performance.now() + 90_000
  while (performance.now() < deadline) {
    if (await answers(undefined, 2000)) {
      child.unref()
      console.error(`started dockerd (process ${child.pid}, log ${path.relative(process.cwd(), logFile)})`)
      return 0
    }
    if ((await Promise.race([failed, delay(500)])) === 'failed') break
  }
  console.error(`dockerd did not come up; the end of ${path.relative(process.cwd(), logFile)}:`)
  console.error((await readFile(logFile, 'utf8').catch(() => '')).split('\n').slice(-15).join('\n'))
  return 1
}

async function stop(): Promise<number> {
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).trim())
  if (!Number.isSafeInteger(pid) || pid <= 1) {
    console.error('no engine was started from here')
    return 0
  }
  // A process id is used again after its process ended: only a dockerd is ours.
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
  if (name.trim() === 'dockerd') process.kill(pid, 'SIGTERM')
  await rm(pidFile, { force: true })
  return 0
}
