import { Sha256 } from '../../verifier/model/digest.ts'
import { LOG_LEVELS, type LogLevel } from './log-levels.ts'
import { parseBase } from './mirrors.ts'
import { absolutePath, oneOf, type Setting, size, wholeNumber } from './setting.ts'
import { parseDuration } from './size.ts'

/** Where a server listens; port 0 is a free one. */
export type ListenAddress = { readonly host: string; readonly port: number }

/** `HOST:PORT`, an IPv6 address in brackets. */
function parseListen(text: string): ListenAddress | undefined {
  const [, six, name, digits = ''] = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9.-]{1,253})):(\d{1,5})$/.exec(text) ?? []
  const host = six ?? name
  const port = Number(digits)
  return host === undefined || port > 65_535 ? undefined : { host, port }
}

const MOST_BUILDERS = 64

function parseDigests(text: string): readonly Sha256[] | undefined {
  const words = text.split(/[\s,]+/).filter((word) => word !== '')
  const digests = words.flatMap((word) => {
    const { data } = Sha256.safeParse(word.replace(/^sha256:/, ''))
    return data === undefined ? [] : [data]
  })
  return digests.length === words.length && words.length <= MOST_BUILDERS ? [...new Set(digests)] : undefined
}

/** The settings of `serve` as a program. */
export const SERVE_SETTINGS = {
  listen: {
    variable: 'BITWITNESS_LISTEN',
    about: 'Where `serve` listens. It speaks HTTP: what is to be reached from elsewhere gets TLS from a proxy in front of it.',
    form: '`HOST:PORT`, with `[…]` around an IPv6 address; port 0 is a free one',
    otherwise: '127.0.0.1:8080',
    fallback: (): ListenAddress => ({ host: '127.0.0.1', port: 8080 }),
    read: parseListen,
  },
  publicUrl: {
    variable: 'BITWITNESS_PUBLIC_URL',
    about: 'Where others reach the service: what its answers link to, and whom the identity tokens of CI systems have to be for.',
    form: 'a URL',
    otherwise: 'where it listens',
    fallback: (): URL | null => null,
    read: parseBase,
  },
  trustedProxies: {
    variable: 'BITWITNESS_TRUSTED_PROXIES',
    about: 'How many proxies of yours stand in front of `serve`, each of which adds to X-Forwarded-For: by it clients are told apart.',
    form: 'a whole number from 0 to 9',
    otherwise: '0: whoever connects is the client',
    fallback: (): number => 0,
    read: (text: string): number | undefined => (/^\d$/.test(text) ? Number(text) : undefined),
  },
  grace: {
    variable: 'BITWITNESS_GRACE',
    about:
      'How long `serve` and `worker` let what is under way go on after SIGTERM. What is not done by then is done again, by another or later.',
    form: 'seconds, or a number with s, m or h',
    otherwise: '30s',
    fallback: (): number => 30,
    read: parseDuration,
  },
  lease: {
    variable: 'BITWITNESS_LEASE',
    about:
      'How long `serve` waits for a sign of life of a worker before its attempt is given to another. A worker gives six of them in that time.',
    form: 'from 10s to 1h: seconds, or a number with s, m or h',
    otherwise: '60s',
    fallback: (): number => 60,
    read: (text: string): number | undefined => {
      const seconds = parseDuration(text)
      return seconds !== undefined && seconds >= 10 && seconds <= 3600 ? seconds : undefined
    },
  },
  hold: {
    variable: 'BITWITNESS_HOLD',
    about:
      'How long `serve` leaves an attempt with one worker, however often it is heard of: builds, and bringing what they gave, are to end by then.',
    form: 'from 10m to 23h: seconds, or a number with s, m or h',
    otherwise: '6h',
    fallback: (): number => 21_600,
    read: (text: string): number | undefined => {
      const seconds = parseDuration(text)
      return seconds !== undefined && seconds >= 600 && seconds <= 23 * 3600 ? seconds : undefined
    },
  },
  spread: {
    variable: 'BITWITNESS_SPREAD',
    about:
      'How long `serve` keeps an attempt for a worker that had none of its verification, where there is one; then any may have it. What one worker says, another is to have seen.',
    form: 'seconds, or a number with s, m or h',
    otherwise: '10m',
    fallback: (): number => 600,
    read: parseDuration,
  },
  heldPerWorker: {
    variable: 'BITWITNESS_HELD_PER_WORKER',
    about: 'How many attempts one worker may have from `serve` at a time. What it builds side by side follows from its machine.',
    form: 'a whole number',
    otherwise: '64',
    fallback: (): number => 64,
    read: wholeNumber(10_000),
  },
  builders: {
    variable: 'BITWITNESS_BUILDERS',
    about:
      'The only builders that `serve` takes reports of. An attempt for which nobody named one is made in the first of them that is known for its architecture.',
    form: 'digests as `bitwitness builder list` shows them, with spaces between',
    otherwise: 'any builder that a registered worker brings',
    fallback: (): readonly Sha256[] => [],
    read: parseDigests,
  },
  policies: {
    variable: 'BITWITNESS_POLICIES',
    about:
      'Folder of the policies, `NAME.yaml` each, under whose names KMSs and gateways of dstack ask `serve`. They are read anew each time; the folder has to be there at the start.',
    form: 'an absolute path',
    otherwise: 'none, and nobody is answered',
    fallback: (): string | null => null,
    read: absolutePath,
  },
  targets: {
    variable: 'BITWITNESS_TARGETS',
    about: 'What `serve` deploys to, and for whom. See [deploy.md](deploy.md).',
    form: 'the absolute path of a YAML file',
    otherwise: 'none: nothing is deployed',
    fallback: (): string | null => null,
    read: absolutePath,
  },
  minFree: size(
    'BITWITNESS_MIN_FREE',
    'Room on the disk of the home below which `/readyz` says that `serve` is not ready, and a worker begins nothing. A `worker` makes room first, by what its coordinator has too.',
    '2G',
  ),
  logLevel: {
    variable: 'BITWITNESS_LOG_LEVEL',
    about: 'What `serve` and `worker` write on stderr: with `debug` also each read and each beat of a worker.',
    form: LOG_LEVELS.map((level) => `\`${level}\``).join(', '),
    otherwise: 'info',
    fallback: (): LogLevel => 'info',
    read: oneOf(...LOG_LEVELS),
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>
