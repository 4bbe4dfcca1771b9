import type { ImageRegistry, ImageRepository } from '../app/image-registry.ts'
import { readBlob } from './blob-read.ts'
import { pushBlob } from './blob-upload.ts'
import { askCredentialProgram } from './credential-program.ts'
import { type Credentials, readLogin } from './docker-config.ts'
import { type Endpoint, endpointOf } from './endpoint.ts'
import { HttpClient } from './http-client.ts'
import { getManifest, pushManifest, pushTag } from './manifests.ts'
import { listReferrers } from './referrers.ts'
import { pushReferrer } from './referrers-push.ts'
import { PACE, type Pace } from './retry.ts'
import { RegistrySession } from './session.ts'

export type RegistryOptions = {
  /** Docker's config folder; null: nobody's login is used. */
  readonly dockerConfig: string | null
  /** HOST[:PORT] of registries that are spoken to without TLS, beside this machine's own. */
  readonly plainHttp: readonly string[]
  /** PEM of certificate authorities to trust beside the usual ones. */
  readonly authorities: string | null
  readonly version: string
  /** Whether only hosts of the public internet are asked: where names of images come from strangers. */
  readonly publicOnly?: boolean
  readonly pace?: Pace
}

/** Registries as the OCI distribution-spec 1.1 has them, with the logins of Docker's config. */
export function openRegistry(options: RegistryOptions): ImageRegistry {
  const http = new HttpClient(options)
  return {
    repository(image, { access, mountFrom = null }) {
      const endpoint = endpointOf(image.registry, options.plainHttp)
      const session = new RegistrySession({
        endpoint,
        repository: image.repository,
        access,
        mountFrom,
        http,
        credentials: (signal) => credentialsOf(options.dockerConfig, endpoint, signal),
        pace: options.pace ?? PACE,
      })
      return repositoryOf(session)
    },
    [Symbol.asyncDispose]() {
      http[Symbol.dispose]()
      return Promise.resolve()
    },
  }
}

function repositoryOf(session: RegistrySession): ImageRepository {
  return {
    pushBlob: (blob, o) => pushBlob(session, blob, o),
    pushManifest: (manifest, signal) => pushManifest(session, manifest, signal),
    pushTag: (manifest, tag, signal) => pushTag(session, { manifest, tag, signal }),
    pushReferrer: (referrer, o) => pushReferrer(session, { referrer, ...o }),
    manifest: (digest, signal) => getManifest(session, `sha256:${digest}`, signal),
    blob: (blob, signal) => readBlob(session, blob, signal),
    referrers: (subject, artifactType, signal) => listReferrers(session, { subject, artifactType, signal }),
  }
}

async function credentialsOf(folder: string | null, endpoint: Endpoint, signal: AbortSignal): Promise<Credentials | null> {
  if (folder === null) return null
  const login = await readLogin(folder, endpoint.credentialNames)
  if (login?.kind !== 'program') return login?.credentials ?? null
  return await askCredentialProgram({ program: login.program, server: login.server, signal })
}
