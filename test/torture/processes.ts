import path from 'node:path'
import { root } from '../repository.ts'
import { Actor } from './actor.ts'
import type { Overheard } from './overheard.ts'
import type { Workshop } from './workshop.ts'

/** Seconds: the shortest that may be chosen, so that what was lost is tried again soon. */
export const LEASE = 10

const PRELOADS = { 'callbacks to this machine': 'let-loopback.ts', 'a stand-in that builds': 'build-by-stand-in.ts' } as const

export type ProcessOptions = {
  /** For what it says. */
  readonly folder: string
  readonly overheard: Overheard
  readonly name: string
  readonly home: string
}

export type CoordinatorOptions = ProcessOptions & {
  readonly url: URL
  /** Null: it has the database in its home, and builds as well. */
  readonly database: string | null
  /** File with who signed the receiver of callbacks. */
  readonly authority: string
}

export function coordinator({ folder, overheard, name, home, url, database, authority }: CoordinatorOptions): Actor {
  const preloads = [PRELOADS['callbacks to this machine'], ...(database === null ? [PRELOADS['a stand-in that builds']] : [])]
  return new Actor({
    name,
    args: [
      ...preloads.flatMap((file) => ['--import', path.join(import.meta.dirname, file)]),
      path.join(root, 'src/bin/main.ts'),
      'serve',
      ...(database === null ? [] : ['--no-worker']),
    ],
    environment: {
      BITWITNESS_HOME: home,
      BITWITNESS_LISTEN: url.host,
      BITWITNESS_PUBLIC_URL: url.href,
      BITWITNESS_LEASE: String(LEASE),
      BITWITNESS_GRACE: '20',
      BITWITNESS_MIN_FREE: '1M',
      DOCKER_HOST: 'unix:///nowhere',
      NODE_EXTRA_CA_CERTS: authority,
      ...(database === null ? {} : { DATABASE_URL: database }),
    },
    log: path.join(folder, `${name}.log`),
    isUp: (line) => line.includes('"msg":"service started"'),
    onLine: (line) => overheard.coordinator(name, line),
  })
}

export type WorkerProcessOptions = ProcessOptions & { readonly url: URL; readonly workshop: Workshop }

export function worker({ folder, overheard, name, home, url, workshop }: WorkerProcessOptions): Actor {
  const log = path.join(folder, `${name}.log`)
  return new Actor({ ...workshop.worker({ home, url }), name, log, onLine: (line) => overheard.worker(name, line) })
}
