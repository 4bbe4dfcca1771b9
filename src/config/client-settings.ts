import { Secret } from '../../verifier/model/secret.ts'
import { parseServerAddress, SERVER_FORM } from './server-address.ts'
import { absolutePath, type Setting } from './setting.ts'

/** The settings of whoever asks a service for something. */
export const CLIENT_SETTINGS = {
  server: {
    variable: 'BITWITNESS_SERVER',
    about: 'The service that `submit` submits to. It gets the token.',
    form: SERVER_FORM,
    otherwise: 'none: `--server` names one',
    fallback: (): URL | null => null,
    read: parseServerAddress,
  },
  token: {
    variable: 'BITWITNESS_TOKEN',
    about:
      "Token that `submit` shows the service: one that `token create` made, or an identity token of a CI system, such as of GitLab's `id_tokens`.",
    form: 'a token',
    otherwise: 'the file of BITWITNESS_TOKEN_FILE, or on GitHub Actions what a job with `id-token: write` is given',
    fallback: (): Secret | null => null,
    read: (text: string): Secret | undefined => (/^[\x21-\x7e]{1,16384}$/.test(text) ? new Secret(text) : undefined),
  },
  tokenFile: {
    variable: 'BITWITNESS_TOKEN_FILE',
    about: 'A file with that token, read each time it is shown.',
    form: 'an absolute path',
    otherwise: 'none',
    fallback: (): string | null => null,
    read: absolutePath,
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>
