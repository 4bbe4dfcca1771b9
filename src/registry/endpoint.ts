import { DOCKER_HUB } from '../../verifier/model/image-reference.ts'

/** Where a registry's API is. */
export type Endpoint = {
  /** As an image reference has it: `docker.io`, `127.0.0.1:5000`. */
  readonly registry: string
  readonly host: string
  /** `ask`: the host is this machine, where either may be; https is tried first. */
  readonly scheme: 'https' | 'http' | 'ask'
  /** Names that Docker's config may know it by, the most usual first. */
  readonly credentialNames: readonly [string, ...string[]]
}

/** Docker Hub's API is not where its name is, and its login is kept under an address of an older API. */
const HUB = { host: 'registry-1.docker.io', credentialNames: ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io'] } as const

/**
 * Without TLS only this machine's own addresses are spoken to, and hosts that whoever runs this named. `plainHttp` has HOST[:PORT] as
 * references do.
 */
export function endpointOf(registry: string, plainHttp: readonly string[]): Endpoint {
  if (registry === DOCKER_HUB) return { registry, scheme: 'https', ...HUB }
  const scheme = plainHttp.includes(registry) ? 'http' : isLoopback(registry) ? 'ask' : 'https'
  return { registry, host: registry, scheme, credentialNames: [registry] }
}

/** Names that lead to this machine whatever a name server says. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(host)
}
