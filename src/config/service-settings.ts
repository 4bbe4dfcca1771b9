import { Secret } from '../../verifier/model/secret.ts'
import { absolutePath, type Setting } from './setting.ts'

/** Where the database driver would throw with the text of a URL that it cannot read, this has refused it. */
export function parseDatabaseUrl(text: string): Secret | undefined {
  const url = text.length <= 2048 && /^\S+$/.test(text) ? URL.parse(text) : null
  return url !== null && ['postgres:', 'postgresql:'].includes(url.protocol) ? new Secret(text) : undefined
}

/** The settings of the service. */
export const SERVICE_SETTINGS = {
  databaseUrl: {
    variable: 'DATABASE_URL',
    about: 'The PostgreSQL server that the service keeps everything in. It may hold a password, and is shown nowhere.',
    form: '`postgres://USER:PASSWORD@HOST:PORT/DATABASE`',
    otherwise: 'an embedded database, in `db` in the home, for one process at a time',
    fallback: (): Secret | null => null,
    read: parseDatabaseUrl,
  },
  issuers: {
    variable: 'BITWITNESS_ISSUERS',
    about:
      'Whose identity tokens are taken in place of API tokens, and which repositories may submit by them. See [identities.md](identities.md).',
    form: 'the absolute path of a YAML file',
    otherwise: 'none: API tokens only',
    fallback: (): string | null => null,
    read: absolutePath,
  },
  databaseUrlFile: {
    variable: 'DATABASE_URL_FILE',
    about: 'A file with that URL alone, for secrets that come as files.',
    form: 'an absolute path',
    otherwise: 'none',
    fallback: (): string | null => null,
    read: absolutePath,
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>
