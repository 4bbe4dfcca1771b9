import type { BuilderDefinition } from './image-definition.ts'

/** Host file with the keys of Debian's archive; apt accepts no index that none of them signed. */
export const ARCHIVE_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

export type Bootstrap = {
  readonly arguments: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Text files that the arguments name, beside those of the definition. */
  readonly files: readonly { readonly name: string; readonly content: string }[]
}

export type BootstrapOptions = {
  readonly definition: BuilderDefinition
  /** Debian's name. */
  readonly architecture: string
  readonly mode: 'root' | 'unshare'
  /** Where the recording or replaying proxy listens on 127.0.0.1. */
  readonly proxyPort: number
  readonly keyring: string
  /** apt preferences, or null. */
  readonly preferences: string | null
  /** Where mmdebstrap unpacks the root: no `nodev` or `noexec` mount, and in `unshare` mode open to other users. */
  readonly temporary: string
}

/**
 * How mmdebstrap is called: pure. It writes a tar to stdout. apt of the host only brings Debian's essential packages and apt itself;
 * everything else is chosen and installed by the apt of the image, so that the host's versions do not show in it.
 */
export function bootstrapBuilder(o: BootstrapOptions): Bootstrap {
  const { definition } = o
  const pins = o.preferences === null ? [] : [{ name: 'builder.pref', content: o.preferences }]
  return {
    arguments: [
      `--mode=${o.mode}`,
      '--variant=apt',
      '--format=tar',
      `--architectures=${o.architecture}`,
      `--aptopt=Acquire::http::Proxy "http://127.0.0.1:${o.proxyPort}/"`,
      ...APT_OPTIONS.map((option) => `--aptopt=${option}`),
      // The root is thrown away if the power goes; waiting for the disk only costs time.
      '--dpkgopt=force-unsafe-io',
      // customize.sh cleans; what mmdebstrap's own cleaning leaves depends on the version of the host's apt.
      '--skip=cleanup/apt,check/signed-by',
      ...(o.preferences === null ? [] : ['--setup-hook=copy-in builder.pref /etc/apt/preferences.d']),
      '--customize-hook=mkdir -p "$1/usr/lib/bitwitness"',
      '--customize-hook=copy-in agent.py install.sh customize.sh builder.packages /usr/lib/bitwitness',
      '--customize-hook=chroot "$1" sh /usr/lib/bitwitness/install.sh /usr/lib/bitwitness/builder.packages',
      '--customize-hook=chroot "$1" sh /usr/lib/bitwitness/customize.sh',
      definition.suite,
      '-',
      './builder.sources',
    ],
    environment: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/',
      LC_ALL: 'C.UTF-8',
      TZ: 'UTC',
      TMPDIR: o.temporary,
      SOURCE_DATE_EPOCH: String(definition.epoch),
    },
    files: [{ name: 'builder.sources', content: aptSources(definition, o.keyring) }, ...pins],
  }
}

/** One spelling of every request, so that what one apt recorded is what another asks for. An old index stays usable: policy bounds age. */
const APT_OPTIONS = [
  'Acquire::Check-Valid-Until "false"',
  'Acquire::Check-Date "false"',
  'Acquire::PDiffs "false"',
  'Acquire::CompressionTypes::Order "xz"',
  // The proxy repeats what can be repeated, and waits for mirrors itself.
  'Acquire::Retries "0"',
  'Acquire::http::Timeout "600"',
]

function aptSources(definition: BuilderDefinition, keyring: string): string {
  return definition.sources
    .map(({ archive, suites }) =>
      [
        'Types: deb',
        `URIs: http://archive.invalid/${archive}`,
        `Suites: ${suites.join(' ')}`,
        'Components: main',
        `Signed-By: ${keyring}`,
        '',
      ].join('\n'),
    )
    .join('\n')
}
