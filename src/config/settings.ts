import { homedir } from 'node:os'
import path from 'node:path'
import { Failure } from '../../verifier/model/failure.ts'
import { CLIENT_SETTINGS } from './client-settings.ts'
import { DEPLOY_SETTINGS } from './deploy-settings.ts'
import { GATEWAY_SETTINGS } from './gateway-settings.ts'
import { LIMIT_SETTINGS } from './limit-settings.ts'
import { type Mirrors, parseBase, parseMirrors } from './mirrors.ts'
import { OBSERVE_SETTINGS } from './observe-settings.ts'
import { REGISTRY_SETTINGS } from './registry-settings.ts'
import { RETENTION_SETTINGS } from './retention-settings.ts'
import { SERVE_SETTINGS } from './serve-settings.ts'
import { SERVICE_SETTINGS } from './service-settings.ts'
import { absolutePath, type Environment, oneOf, type Setting, size, wholeNumber } from './setting.ts'
import { SIGNING_SETTINGS } from './signing-settings.ts'
import { parseDuration } from './size.ts'
import { WORKER_SETTINGS } from './worker-settings.ts'

/** Those that mkosi/builder/profiles.json defines a builder for. */
const MKOSI_VERSIONS = ['25.3', '27.1'] as const
type MkosiVersion = (typeof MKOSI_VERSIONS)[number]

const ALLOWANCES = ['local-repositories', 'plain-http', 'private-hosts'] as const
export type SourceAllowance = (typeof ALLOWANCES)[number]

function isAllowance(word: string): word is SourceAllowance {
  return (ALLOWANCES as readonly string[]).includes(word)
}

/** Every setting there is. docs/settings.md is made from this table. */
export const SETTINGS = {
  home: {
    variable: 'BITWITNESS_HOME',
    about: 'Folder for blobs, builder images, keys and work in progress.',
    form: 'an absolute path',
    otherwise: '`$XDG_DATA_HOME/bitwitness`, and `~/.local/share/bitwitness` where that is not set',
    fallback: (environment: Environment): string =>
      path.join(absolutePath(environment['XDG_DATA_HOME'] ?? '') ?? path.join(homedir(), '.local', 'share'), 'bitwitness'),
    read: absolutePath,
  },
  dockerHost: {
    variable: 'DOCKER_HOST',
    about: 'The Docker engine that builds run on.',
    form: '`unix://…`, `tcp://…` or `ssh://…`',
    otherwise: 'the local socket',
    fallback: (): string | null => null,
    read: (text: string): string | undefined => (/^(unix|tcp|ssh):\/\/[^\s]+$/.test(text) ? text : undefined),
  },
  mirrors: {
    variable: 'BITWITNESS_MIRRORS',
    about: 'Where the recording proxy fetches Debian archives from. A mirror never shows in a lock or a report.',
    form: '`ARCHIVE=URL` entries separated by spaces; an archive named again gets a further mirror',
    otherwise: "what this machine's own apt is configured with",
    fallback: (): Mirrors | null => null,
    read: parseMirrors,
  },
  snapshotMirror: {
    variable: 'BITWITNESS_SNAPSHOT_MIRROR',
    about:
      'Where dated states of an archive are fetched from: the archive and the date are added to it as `archive/ARCHIVE/YYYYMMDDThhmmssZ/`.',
    form: 'a URL',
    otherwise: 'none: a recipe with a snapshot can be built from a lock whose inputs are at hand, and not live',
    fallback: (): URL | null => null,
    read: parseBase,
  },
  mkosi: {
    variable: 'BITWITNESS_MKOSI',
    about: 'Version of mkosi that recipes are read for and built with: it picks the builder image, which is made where there is none yet.',
    form: MKOSI_VERSIONS.map((version) => `\`${version}\``).join(' or '),
    otherwise: '25.3',
    fallback: (): MkosiVersion => '25.3',
    read: oneOf(...MKOSI_VERSIONS),
  },
  apparmor: {
    variable: 'BITWITNESS_APPARMOR_PROFILE',
    about: 'AppArmor profile of the sandbox, loaded on the machine of the engine. Without effect where the engine enforces none.',
    form: 'the name of a loaded profile',
    otherwise: 'bitwitness-builder',
    fallback: (): string => 'bitwitness-builder',
    read: (text: string): string | undefined => (/^[A-Za-z0-9._-]{1,100}$/.test(text) ? text : undefined),
  },
  workspace: {
    variable: 'BITWITNESS_WORKSPACE',
    about: "Where a build's files lie: in memory, or on a volume of the engine that is removed afterwards.",
    form: '`auto`, `tmpfs` or `volume`',
    otherwise: 'auto',
    fallback: (): 'auto' | 'tmpfs' | 'volume' => 'auto',
    read: oneOf('auto', 'tmpfs', 'volume'),
  },
  sources: {
    variable: 'BITWITNESS_SOURCES_ALLOW',
    about:
      'What is refused otherwise, since a URL can come from anywhere: repositories of this machine; repositories and claimed bytes without TLS, or on private addresses.',
    form: '`local-repositories`, `plain-http` and `private-hosts`, separated by spaces',
    otherwise: 'none of them',
    fallback: (): readonly SourceAllowance[] => [],
    read: (text: string): readonly SourceAllowance[] | undefined => {
      const words = text.trim().split(/\s+/)
      return words.every(isAllowance) ? words : undefined
    },
  },
  ...REGISTRY_SETTINGS,
  limitTime: {
    variable: 'BITWITNESS_LIMIT_TIME',
    about: 'Wall time of one attempt.',
    form: 'seconds, or a number with s, m or h',
    otherwise: '30m',
    fallback: (): number => 1800,
    read: parseDuration,
  },
  limitMemory: size('BITWITNESS_LIMIT_MEMORY', 'Memory of one attempt, a workspace in memory included.', '6G'),
  limitCpus: {
    variable: 'BITWITNESS_LIMIT_CPUS',
    about:
      'CPUs that a build sees. A recipe can write their number into an image: one is what every machine has, and mkosi gains little from more.',
    form: 'a whole number',
    otherwise: '1',
    fallback: (): number => 1,
    read: wholeNumber(1024),
  },
  limitProcesses: {
    variable: 'BITWITNESS_LIMIT_PROCESSES',
    about: 'Processes and threads of one attempt.',
    form: 'a whole number',
    otherwise: '4096',
    fallback: (): number => 4096,
    read: wholeNumber(4_194_304),
  },
  limitDisk: size('BITWITNESS_LIMIT_DISK', 'What a build may write in its workspace.', '12G'),
  limitOutput: size('BITWITNESS_LIMIT_OUTPUT', 'What a build may leave in its output folder.', '8G'),
  limitLog: size('BITWITNESS_LIMIT_LOG', 'Bytes of log that one attempt may write.', '16M'),
  ...SIGNING_SETTINGS,
  ...SERVICE_SETTINGS,
  ...CLIENT_SETTINGS,
  ...GATEWAY_SETTINGS,
  ...DEPLOY_SETTINGS,
  ...OBSERVE_SETTINGS,
  ...SERVE_SETTINGS,
  ...WORKER_SETTINGS,
  ...LIMIT_SETTINGS,
  ...RETENTION_SETTINGS,
} as const satisfies Readonly<Record<string, Setting<unknown>>>

export type Settings = { readonly [K in keyof typeof SETTINGS]: ReturnType<(typeof SETTINGS)[K]['fallback']> }

/** Variables with our prefix that are read elsewhere: by the Makefile, the test runner and where the program starts. */
const NOT_SETTINGS = [
  'BITWITNESS_YES',
  'BITWITNESS_CONFORMANCE',
  'BITWITNESS_LAB',
  'BITWITNESS_TEST_HOME',
  'BITWITNESS_TEST_RECORD',
  'BITWITNESS_DEBUG',
  'BITWITNESS_DSTACK_EVIDENCE',
]

/**
 * Reads and checks all settings. An empty variable counts as not set. Fails with `setting-invalid` or, for a variable with our prefix
 * that means nothing, `setting-unknown`; values never show in a message, since one could be a secret that went to the wrong place.
 */
export function readSettings(environment: Environment): Settings {
  const known: readonly string[] = [...Object.values(SETTINGS).map((setting) => setting.variable), ...NOT_SETTINGS]
  const unknown = Object.keys(environment).find((name) => name.startsWith('BITWITNESS_') && !known.includes(name))
  if (unknown !== undefined)
    throw new Failure({
      code: 'setting-unknown',
      message: `there is no setting ${unknown.replaceAll(/[^A-Z0-9_]/g, '?').slice(0, 80)}`,
      hint: 'unset it, or correct its name: docs/settings.md lists all',
    })
  return Object.fromEntries(Object.entries(SETTINGS).map(([key, setting]) => [key, readSetting(setting, environment)])) as Settings
}

function readSetting(setting: Setting<unknown>, environment: Environment): unknown {
  const text = environment[setting.variable]
  if (text === undefined || text === '') return setting.fallback(environment)
  const value = setting.read(text)
  if (value !== undefined) return value
  throw new Failure({ code: 'setting-invalid', message: `${setting.variable} has a value that cannot be`, hint: `give ${setting.form}` })
}
