import path from 'node:path'
import { parseAddress, parseBase } from './mirrors.ts'
import { absolutePath, oneOf, type Setting } from './setting.ts'

/** Where the identity token for Fulcio comes from, each time anew. */
export type TokenPlace =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'url'; readonly url: URL }
  | { readonly kind: 'ci' }

function parseTokenPlace(text: string): TokenPlace | undefined {
  if (text === 'ci') return { kind: 'ci' }
  if (path.isAbsolute(text)) return { kind: 'file', path: path.resolve(text) }
  const url = parseAddress(text)
  // What comes back is a token: in plain text it may cross this machine, and no network.
  const guarded = url?.protocol === 'https:' || /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(url?.hostname ?? '')
  return url !== undefined && guarded ? { kind: 'url', url } : undefined
}

/** An absolute URI (RFC 3986) that stands before `/isolation/profile`. Those of keys are made, never set. */
function parseBuilderId(text: string): string | undefined {
  const uri = /^[a-z][a-z0-9+.-]*:[A-Za-z0-9._~:/@!$&'()*+,;=%-]{1,300}$/.test(text) && !text.endsWith('/')
  return uri && !text.startsWith('bitwitness:builder/key/') ? text : undefined
}

/** The settings of signing; `signingConfig` holds them against each other. */
export const SIGNING_SETTINGS = {
  signer: {
    variable: 'BITWITNESS_SIGNER',
    about: 'How statements are signed: with a key of this machine, or with an identity through Sigstore. See [signing.md](signing.md).',
    form: '`key` or `sigstore`',
    otherwise: 'key',
    fallback: (): 'key' | 'sigstore' => 'key',
    read: oneOf('key', 'sigstore'),
  },
  keyFile: {
    variable: 'BITWITNESS_KEY_FILE',
    about: 'The signing key: a private key in PEM on the curve P-256, without passphrase, readable for its owner only.',
    form: 'an absolute path',
    otherwise: '`keys/signing-key.pem` in the home, made when it is first needed',
    fallback: (): string | null => null,
    read: absolutePath,
  },
  fulcioUrl: {
    variable: 'BITWITNESS_FULCIO_URL',
    about: 'The Fulcio server that certifies the identity. It sees the identity token. With it, BITWITNESS_REKOR_URL has to be set too.',
    form: 'a URL',
    otherwise: '`https://fulcio.sigstore.dev`, of the public good instance',
    fallback: (): URL | null => null,
    read: parseBase,
  },
  rekorUrl: {
    variable: 'BITWITNESS_REKOR_URL',
    about: 'The Rekor server that logs the signatures. With it, BITWITNESS_FULCIO_URL has to be set too.',
    form: 'a URL',
    otherwise: '`https://rekor.sigstore.dev`, of the public good instance',
    fallback: (): URL | null => null,
    read: parseBase,
  },
  rekorVersion: {
    variable: 'BITWITNESS_REKOR_VERSION',
    about: "Version of that server's API. Entries of version 2 have no time, so that it needs a timestamp authority.",
    form: '`1` or `2`',
    otherwise: '1',
    fallback: (): 1 | 2 => 1,
    read: (text: string): 1 | 2 | undefined => (text === '1' ? 1 : text === '2' ? 2 : undefined),
  },
  tsaUrl: {
    variable: 'BITWITNESS_TSA_URL',
    about: 'The timestamp authority, by the JSON API of sigstore/timestamp-authority; `/api/v1/timestamp` is added where there is no path.',
    form: 'a URL, or `none`',
    otherwise: '`https://timestamp.sigstore.dev/api/v1/timestamp` with the public good instance, and else none',
    fallback: (): URL | 'none' | null => null,
    read: (text: string): URL | 'none' | undefined => (text === 'none' ? 'none' : parseAddress(text)),
  },
  trustedRoot: {
    variable: 'BITWITNESS_TRUSTED_ROOT',
    about:
      'The `trusted_root.json` of the Sigstore servers, needed with servers of your own. A bundle that does not verify with it is not given out.',
    form: 'an absolute path',
    otherwise: 'none: what is checked without one stands in [signing.md](signing.md)',
    fallback: (): string | null => null,
    read: absolutePath,
  },
  identityToken: {
    variable: 'BITWITNESS_IDENTITY_TOKEN',
    about: 'Where the identity token for Fulcio is read at each signing: a file, an address, or what a CI system gives its job.',
    form: 'an absolute path, an `https` URL (`http` on this machine only), or `ci`',
    otherwise: 'ci',
    fallback: (): TokenPlace => ({ kind: 'ci' }),
    read: parseTokenPlace,
  },
  identityTokenBearer: {
    variable: 'BITWITNESS_IDENTITY_TOKEN_BEARER',
    about: 'A file with what to send to the address of the identity token, in the header `authorization: Bearer …`.',
    form: 'an absolute path',
    otherwise: 'nothing is sent',
    fallback: (): string | null => null,
    read: absolutePath,
  },
  builderId: {
    variable: 'BITWITNESS_BUILDER_ID',
    about: 'Who the builder is in statements: a URI of the operator, to which isolation and sandbox profile are added.',
    form: 'an absolute URI without a slash at its end',
    otherwise: '`bitwitness:builder/key/FINGERPRINT` with the signer `key`; `sigstore` has none',
    fallback: (): string | null => null,
    read: parseBuilderId,
  },
  operator: {
    variable: 'BITWITNESS_OPERATOR',
    about: 'Who runs the service, as its statements say it: a name that readers know you by. Nothing is decided by it here.',
    form: 'up to 200 printable characters',
    otherwise: 'nobody is named',
    fallback: (): string | null => null,
    read: (text: string): string | undefined => (/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]{1,200}$/u.test(text) ? text : undefined),
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>
