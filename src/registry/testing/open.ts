import { setImmediate } from 'node:timers/promises'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { OCI_MANIFEST } from '../../../verifier/model/oci-types.ts'
import { Secret } from '../../../verifier/model/secret.ts'
import type { BlobSource, ImageRegistry, Manifest } from '../../app/image-registry.ts'
import type { Credentials } from '../docker-config.ts'
import { endpointOf } from '../endpoint.ts'
import { HttpClient } from '../http-client.ts'
import { openRegistry } from '../registry.ts'
import type { Pace } from '../retry.ts'
import { RegistrySession } from '../session.ts'
import { ACCOUNT } from './fake-registry.ts'

/** Waits for no more than what is under way in this process, and writes down how long it would have waited. */
export function quickPace(waited: number[] = [], tries = 5): Pace {
  return {
    tries,
    wait: async (ms, signal) => {
      waited.push(ms)
      for (let turn = 0; turn < 20; turn += 1) await setImmediate()
      signal.throwIfAborted()
    },
    random: () => 0,
    now: () => 1_700_000_000_000,
  }
}

export const never = new AbortController().signal

export const account: Credentials = { kind: 'password', username: ACCOUNT.username, password: new Secret(ACCOUNT.password) }

export function openSession(
  host: string,
  o: {
    access?: 'pull' | 'push'
    credentials?: Credentials | null
    mountFrom?: string
    waited?: number[]
    tries?: number
    now?: () => number
  } = {},
): RegistrySession {
  return new RegistrySession({
    endpoint: endpointOf(host, []),
    repository: 'owner/app',
    access: o.access ?? 'push',
    mountFrom: o.mountFrom ?? null,
    http: new HttpClient({ authorities: null, version: '1.2.3' }),
    credentials: () => Promise.resolve(o.credentials ?? null),
    pace: { ...quickPace(o.waited, o.tries), ...(o.now === undefined ? {} : { now: o.now }) },
  })
}

export function blobOf(bytes: Uint8Array, piece = 65536): BlobSource {
  return {
    sha256: digestOf(bytes),
    size: bytes.length,
    async *open(from, to) {
      for (let at = from; at < to; at += piece) yield bytes.subarray(at, Math.min(at + piece, to))
    },
  }
}

export function manifestOf(value: object): Manifest {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, ...value }))
  return { mediaType: OCI_MANIFEST, bytes, sha256: digestOf(bytes) }
}

/** A registry as use cases take it, in no hurry to wait. */
export function openTestRegistry(): ImageRegistry {
  return openRegistry({ dockerConfig: '/nonexistent', plainHttp: [], authorities: null, version: '1.2.3', pace: quickPace() })
}
