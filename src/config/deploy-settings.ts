import { Secret } from '../../verifier/model/secret.ts'
import { parseBase } from './mirrors.ts'
import { absolutePath, type Setting } from './setting.ts'

const secretText = (text: string): Secret | undefined => (/^[\x21-\x7e]{1,4096}$/.test(text) ? new Secret(text) : undefined)

/** The settings of whoever deploys. The two of Phala Cloud are those of its own tools. */
export const DEPLOY_SETTINGS = {
  vmmToken: {
    variable: 'BITWITNESS_VMM_TOKEN',
    about: 'Token that `deploy` shows dstack-vmm, one of its `[auth] tokens`.',
    form: 'a token',
    otherwise: 'the file of BITWITNESS_VMM_TOKEN_FILE, or none',
    fallback: (): Secret | null => null,
    read: secretText,
  },
  vmmTokenFile: {
    variable: 'BITWITNESS_VMM_TOKEN_FILE',
    about: 'A file with that token.',
    form: 'an absolute path',
    otherwise: 'none',
    fallback: (): string | null => null,
    read: absolutePath,
  },
  phalaKey: {
    variable: 'PHALA_CLOUD_API_KEY',
    about: 'API key that `deploy` shows Phala Cloud.',
    form: 'an API key',
    otherwise: 'none',
    fallback: (): Secret | null => null,
    read: secretText,
  },
  phalaPrefix: {
    variable: 'PHALA_CLOUD_API_PREFIX',
    about: 'Where the API of Phala Cloud lies, its version in the path included. It gets the key.',
    form: 'a URL with https; with http on this machine alone',
    otherwise: '`https://cloud-api.phala.com/api/v1`',
    fallback: (): URL => new URL('https://cloud-api.phala.com/api/v1/'),
    read: parseBase,
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>
