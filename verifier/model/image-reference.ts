import { Sha256, withPrefix } from './digest.ts'
import { Failure } from './failure.ts'

/** Names an image in a registry. */
export type ImageReference = {
  /** `docker.io`, or HOST[:PORT] in lower case. */
  readonly registry: string
  /** Path in the registry, such as `library/debian`. */
  readonly repository: string
  readonly tag: string | null
  readonly digest: Sha256 | null
}

/** A reference that cannot move: whatever its tag says, the digest decides. */
export type PinnedReference = ImageReference & { readonly digest: Sha256 }

export const DOCKER_HUB = 'docker.io'

/** Names that Docker Hub has had over the years. */
const HUB_NAMES: readonly string[] = [DOCKER_HUB, 'index.docker.io', 'registry-1.docker.io']

const MAX_NAME = 255
const HOST = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(?::[1-9][0-9]{0,4})?$/
const COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/

/**
 * Reads `[HOST[:PORT]/]PATH[:TAG][@sha256:…]` as Docker does: without a host it is Docker Hub's, where a name without a user is
 * `library/NAME` (the grammar of github.com/distribution/reference). A `docker://` or `oci://` in front is taken off. Letters are taken as
 * they are: upper case in host or path is refused, never folded. Throws `image-reference-malformed`.
 */
export function parseImageReference(text: string): ImageReference {
  if (text.length > 1024) throw malformed('it is too long')
  const plain = text.replace(/^(?:docker|oci):\/\//, '')
  const [name = '', digestText, ...more] = plain.split('@')
  if (more.length > 0) throw malformed('it has more than one @')
  const digest = digestText === undefined ? null : readDigest(digestText)
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1)
  const tag = colon === -1 ? null : name.slice(colon + 1)
  if (tag !== null && !isTag(tag)) throw malformed('its tag has other characters than letters, digits, dots, dashes and underscores')
  const { registry, repository } = splitName(colon === -1 ? name : name.slice(0, colon))
  return { registry, repository, tag, digest }
}

/** As `parseImageReference`, for where only a digest will do. Throws `image-digest-missing` as well. */
export function parsePinnedReference(text: string): PinnedReference {
  const reference = parseImageReference(text)
  const { digest } = reference
  if (digest !== null) return { ...reference, digest }
  throw new Failure({
    code: 'image-digest-missing',
    message: 'the image is named without a digest, and a tag can mean another image tomorrow',
    hint: 'write NAME@sha256:…, as push prints it',
  })
}

export function isTag(text: string): boolean {
  return TAG.test(text)
}

/** With its host always, without tag and digest: `docker.io/library/debian`. */
export function imageName({ registry, repository }: Pick<ImageReference, 'registry' | 'repository'>): string {
  return `${registry}/${repository}`
}

/** `docker.io/library/debian@sha256:…`. */
export function pinnedName(reference: PinnedReference): string {
  return `${imageName(reference)}@${withPrefix(reference.digest)}`
}

function readDigest(text: string): Sha256 {
  const parsed = Sha256.safeParse(text.startsWith('sha256:') ? text.slice('sha256:'.length) : undefined)
  if (parsed.success) return parsed.data
  throw malformed('its digest is not sha256: and 64 lower-case hexadecimal digits')
}

function splitName(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/')
  const first = name.slice(0, Math.max(slash, 0))
  const hasHost = slash > 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase())
  const host = hasHost ? first : DOCKER_HUB
  const path = hasHost ? name.slice(slash + 1) : name
  if (!isHost(host)) throw malformed('its host is none: HOST or HOST:PORT in lower case')
  const registry = HUB_NAMES.includes(host) ? DOCKER_HUB : host
  const repository = registry === DOCKER_HUB && !path.includes('/') ? `library/${path}` : path
  const components = repository.split('/')
  if (!components.every((component) => COMPONENT.test(component)))
    throw malformed('its path has other characters than lower-case letters, digits, and single dots, dashes and underscores between them')
  if (`${registry}/${repository}`.length > MAX_NAME) throw malformed('it is too long')
  // Docker takes 64 digits for an image id.
  if (!hasHost && /^[0-9a-f]{64}$/.test(path)) throw malformed('it is a digest without a name')
  return { registry, repository }
}

/** Written as a URL has it: an address in another spelling would be one thing in a list and another on the wire. */
function isHost(host: string): boolean {
  if (!HOST.test(host)) return false
  const url = URL.parse(`http://${host}/`)
  const port = /:([0-9]+)$/.exec(host.replace(/^\[.*\]/, ''))?.[1]
  const name = port === undefined ? host : host.slice(0, -port.length - 1)
  return url !== null && url.hostname === name && url.username === '' && url.pathname === '/'
}

function malformed(why: string): Failure {
  return new Failure({
    code: 'image-reference-malformed',
    message: `not the name of an image: ${why}`,
    hint: 'write HOST/PATH, HOST/PATH:TAG or HOST/PATH@sha256:…, such as docker.io/USER/NAME',
  })
}
