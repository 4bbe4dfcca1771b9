import { createSecureContext } from 'node:tls'
import { readSmallFile } from '../verifier/bytes/small-file.ts'
import { Failure } from '../verifier/model/failure.ts'
import type { ImageRegistry } from './app/image-registry.ts'
import type { PushPorts } from './app/push.ts'
import { findPackage } from './config/package-root.ts'
import type { Settings } from './config/settings.ts'
import { deploymentOf } from './dstack/deployment.ts'
import { openRegistry } from './registry/registry.ts'

/** What commands need that have to do with registries and need no engine. */
export type RegistryRoom = PushPorts & AsyncDisposable & { /** Bytes of an image that is fetched, at most. */ readonly maxBytes: number }

type Needs = Pick<Settings, 'dockerConfig' | 'registryCa' | 'plainHttpRegistries' | 'limitOutput'>

/** For images that strangers name: nobody's login, and hosts of the public internet only. Rejects with `registry-ca-unreadable`. */
export async function openStrangersRegistry(settings: Needs): Promise<RegistryRoom> {
  return await openRegistryRoom({ ...settings, dockerConfig: null, plainHttpRegistries: [] }, true)
}

/** Rejects with `registry-ca-unreadable`. */
export async function openRegistryRoom(
  settings: Omit<Needs, 'dockerConfig'> & { readonly dockerConfig: string | null },
  publicOnly = false,
): Promise<RegistryRoom> {
  const registry: ImageRegistry = openRegistry({
    publicOnly,
    dockerConfig: settings.dockerConfig,
    plainHttp: settings.plainHttpRegistries,
    authorities: settings.registryCa === null ? null : await readAuthorities(settings.registryCa),
    version: findPackage().version,
  })
  return {
    registry,
    deployment: deploymentOf,
    now: () => new Date().toISOString(),
    maxBytes: settings.limitOutput,
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  }
}

/** Many times what all the authorities of a system take. */
const MAX_AUTHORITIES = 4 << 20

async function readAuthorities(file: string): Promise<string> {
  try {
    const { bytes } = await readSmallFile(file, { maxBytes: MAX_AUTHORITIES })
    const pem = bytes?.toString('utf8') ?? ''
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('no certificate')
    createSecureContext({ ca: pem })
    return pem
  } catch {
    throw new Failure({
      code: 'registry-ca-unreadable',
      message: 'the certificate authorities for registries cannot be read',
      hint: 'let BITWITNESS_REGISTRY_CA name a PEM file',
    })
  }
}
