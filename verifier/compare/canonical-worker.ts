import { parentPort, workerData } from 'node:worker_threads'
import { Failure } from '../model/failure.ts'
import { type CanonicalJob, canonicalTar } from './canonical-tar.ts'
import type { WorkerMessage } from './canonicalise.ts'

/** Pieces of the manifest on their way before the receiver has to ask for more: bounds memory on its side. */
const AHEAD = 4

const port = parentPort
if (port === null) throw new Error('runs in a worker thread only')
const send = (message: WorkerMessage, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer)
const pieces = canonicalTar(workerData as CanonicalJob)

let ended = false

function pump(count: number): void {
  try {
    for (let sent = 0; sent < count && !ended; sent += 1) {
      const next = pieces.next()
      if (next.done === true) {
        send({ kind: 'done', facts: next.value })
        ended = true
        port?.close()
        return
      }
      send({ kind: 'piece', bytes: next.value }, [next.value.buffer])
    }
  } catch (error) {
    ended = true
    send({ kind: 'failed', failure: describe(error) })
    port?.close()
  }
}

function describe(error: unknown): Extract<WorkerMessage, { kind: 'failed' }>['failure'] {
  if (error instanceof Failure) return { code: error.code, message: error.message, hint: error.hint, data: error.data }
  const errno = (error as NodeJS.ErrnoException).code
  return {
    code: 'canonical-io',
    message: 'the tar could not be read, or its canonical form not be written',
    hint: 'check that the file is there and that the disk has room for a second copy of it',
    audience: 'operator',
    data: { errno: typeof errno === 'string' ? errno : null },
  }
}

port.on('message', () => pump(1))
pump(AHEAD)
