import { createPrivateKey } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { openBlobFolder } from '../src/storage/blob-folder.ts'
import { sweepScratch } from '../src/storage/scratch.ts'
import { HttpCoordinator } from '../src/worker/http-coordinator.ts'
import { runWorker } from '../src/worker/worker.ts'
import { WorkerKey } from '../src/worker-auth/worker-key.ts'
import { standInBuilder } from './stand-in-builder.ts'

/**
 * `node test/worker-child.ts URL HOME KEY [DRAIN_MS]`: a worker in a process of its own, with a stand-in for the builder. Each piece of its
 * news is a line of JSON on stdout; SIGTERM drains it.
 */
const [url = '', home = '', keyFile = '', drainMs = '600000'] = process.argv.slice(2)

const work = path.join(home, 'work')
await mkdir(work, { recursive: true, mode: 0o700 })
const swept = await sweepScratch(work)
const blobs = await openBlobFolder(path.join(home, 'blobs'))
const key = new WorkerKey(createPrivateKey(await readFile(keyFile, 'utf8')))
const stop = new AbortController()
process.on('SIGTERM', () => stop.abort())
const say = (news: object): void => void process.stdout.write(`${JSON.stringify(news)}\n`)
say({ kind: 'up', swept })
await runWorker({
  coordinator: new HttpCoordinator({ origin: new URL(url), key, version: '0.0.0' }),
  blobs,
  runJob: standInBuilder({ blobs, work }),
  capabilities: async () => ({ architecture: 'amd64', builders: [], isolation: 'shared-kernel' }),
  slots: 2,
  obstacle: async () => null,
  version: '0.0.0',
  timing: { waitSeconds: 5, drainMs: Number(drainMs), patience: { firstMs: 50, mostMs: 500 } },
  tell: (news) => {
    if (news.kind !== 'event') say(news)
  },
  signal: stop.signal,
})
say({ kind: 'down' })
