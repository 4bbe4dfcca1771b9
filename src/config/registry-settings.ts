import { homedir } from 'node:os'
import path from 'node:path'
import { absolutePath, type Setting } from './setting.ts'

/** Whom to trust among registries, and as whom to come. */
export const REGISTRY_SETTINGS = {
  dockerConfig: {
    variable: 'DOCKER_CONFIG',
    about: "Folder of Docker's config.json, where logins of registries and the programs that keep them are looked up.",
    form: 'a path, as Docker takes it',
    otherwise: '`~/.docker`',
    fallback: (): string => path.join(homedir(), '.docker'),
    read: (text: string): string => path.resolve(text),
  },
  registryCa: {
    variable: 'BITWITNESS_REGISTRY_CA',
    about: 'Certificate authorities to trust for registries, beside the usual ones.',
    form: 'the absolute path of a PEM file',
    otherwise: 'none; `NODE_EXTRA_CA_CERTS` works as well, for every connection',
    fallback: (): string | null => null,
    read: absolutePath,
  },
  plainHttpRegistries: {
    variable: 'BITWITNESS_REGISTRY_PLAIN_HTTP',
    about:
      'Registries that are spoken to without TLS, passwords included. Those of this machine (`localhost`, `127.0.0.1`, `[::1]`) need no entry.',
    form: '`HOST` or `HOST:PORT` entries as image names have them, separated by spaces',
    otherwise: 'none of them',
    fallback: (): readonly string[] => [],
    read: (text: string): readonly string[] | undefined => {
      const hosts = text.trim().split(/\s+/)
      return hosts.every((host) => /^[a-z0-9.[\]:-]{1,255}$/.test(host)) ? hosts : undefined
    },
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>
