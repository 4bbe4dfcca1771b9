import { Failure } from '../../model/failure.ts'
import { LOGICAL_BASE } from './target.ts'

/** Suites that a builder can take packages from. `forky` and later stand where they become stable. */
const SUITES = {
  bookworm: { updates: true, security: true },
  trixie: { updates: true, security: true },
  forky: { updates: true, security: true },
  // Nothing waits for a release there, so there is nothing to update or to secure beside it.
  sid: { updates: false, security: false },
} as const
type AptSuite = keyof typeof SUITES

/** The archives that the sources below name. */
export const PROFILE_ARCHIVES = ['debian', 'debian-security'] as const

const COMPONENTS = ['main', 'contrib', 'non-free', 'non-free-firmware'] as const

const SOURCES = 'etc/apt/sources.list.d/mkosi.sources'

/** In the builder image, from the package debian-archive-keyring. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

export type AptSandboxOptions = {
  readonly suite: string
  /** `YYYYMMDDThhmmssZ`; checked only: dated and current sources are the same files, and which mirror stands behind them is not theirs to say. */
  readonly snapshot?: string | null
  /** Debian's name (`amd64`). */
  readonly architecture: string
  readonly components?: readonly string[]
}

/**
 * The files that mkosi lays over its package manager's configuration: the same ones for a live build, a dated one and every replay. Each
 * source is signed by Debian's keyring; nothing turns the check off. Failures: `apt-sources-unknown`.
 */
export function aptSandboxTree(options: AptSandboxOptions): readonly { readonly path: string; readonly content: string }[] {
  const { suite, architecture, snapshot = null, components = ['main'] } = options
  if (!Object.hasOwn(SUITES, suite)) throw unknown(`no sources are known for the suite`, `use one of ${Object.keys(SUITES).join(', ')}`)
  const unusable = components.length === 0 || components.some((component) => !(COMPONENTS as readonly string[]).includes(component))
  if (unusable) throw unknown('no such component', `use ${COMPONENTS.join(', ')}`)
  if (!/^[a-z0-9-]{1,32}$/.test(architecture)) throw unknown('no such architecture', 'use a name that dpkg knows, such as amd64')
  if (snapshot !== null && !/^\d{8}T\d{6}Z$/.test(snapshot)) throw unknown('no date of an archive', 'write it as 20241201T000000Z')
  const { updates, security } = SUITES[suite as AptSuite]
  const source = (archive: (typeof PROFILE_ARCHIVES)[number], suites: readonly string[]): string =>
    [
      'Types: deb',
      `URIs: ${LOGICAL_BASE}/${archive}`,
      `Suites: ${suites.join(' ')}`,
      `Components: ${COMPONENTS.filter((component) => components.includes(component)).join(' ')}`,
      `Architectures: ${architecture}`,
      `Signed-By: ${KEYRING}`,
      '',
    ].join('\n')
  const sources = [
    source('debian', updates ? [suite, `${suite}-updates`] : [suite]),
    ...(security ? [source('debian-security', [`${suite}-security`])] : []),
  ]
  return [
    { path: SOURCES, content: sources.join('\n') },
    { path: 'etc/apt/apt.conf.d/90bitwitness', content: APT_CONF },
  ]
}

/** The suites that the sources in such files name, each with its archive. */
export function aptSuites(
  tree: readonly { readonly path: string; readonly content: string }[],
): readonly { readonly archive: string; readonly suite: string }[] {
  const sources = tree.filter(({ path }) => path === SOURCES).flatMap(({ content }) => content.split('\n\n'))
  return sources.flatMap((source) => {
    const archive = /^URIs: .*\/(.+)$/m.exec(source)?.[1] ?? ''
    const suites = /^Suites: (.+)$/m.exec(source)?.[1] ?? ''
    return suites.split(' ').map((suite) => ({ archive, suite }))
  })
}

const APT_CONF = `// Fewer bytes to lock: no translations, no differences between indexes.
Acquire::Languages "none";
Acquire::PDiffs "false";
// The proxy repeats what can be repeated; it is on this machine, and waits for mirrors itself.
Acquire::Retries "1";
Acquire::http::Timeout "600";
// A replay is made long after the archive's index has run out; its date is in the input lock, where a policy bounds it.
Acquire::Check-Valid-Until "false";
`

function unknown(message: string, hint: string): Failure {
  return new Failure({ code: 'apt-sources-unknown', message, hint })
}
