import { Failure } from '../../verifier/model/failure.ts'

const BY_HAND = 'fetch the file by hand and give its path'

/** Why something was not fetched. */
const REFUSALS = {
  'download-url-malformed': ['not a URL that is fetched from', 'give https://HOST/PATH, without user name and password'],
  'download-plain-http': [
    'a URL without TLS is not fetched from',
    'give its https:// URL; http:// must be allowed by whoever runs this (BITWITNESS_SOURCES_ALLOW)',
  ],
  'download-host-private': [
    'the host has an address that is not public',
    'only hosts of the public internet are asked, unless whoever runs this allows others (BITWITNESS_SOURCES_ALLOW)',
  ],
  'download-redirect-refused': [
    'the server redirects to where nothing is fetched from: without TLS, with credentials, or not by http at all',
    'give the URL at which the file lies',
  ],
  'download-redirect-limit': ['the server redirects more often than is followed', 'give the URL at which the file lies'],
  'download-absent': ['the server does not give it out', 'look for a typing error; what needs a login cannot be fetched'],
  'download-size-limit': ['what the server sends is larger than allowed', BY_HAND],
  'download-time-limit': ['it took longer than allowed, or nothing came for a minute', BY_HAND],
  'download-failed': ['it could not be fetched, or broke off', BY_HAND],
} as const

type DownloadFailureCode = keyof typeof REFUSALS

const RETRYABLE: readonly DownloadFailureCode[] = ['download-time-limit', 'download-failed']

/** Nothing that a server said goes into it but the number of its answer. */
export function downloadFailure(code: DownloadFailureCode, data: { readonly status?: number; readonly limit?: number } = {}): Failure {
  const [message, hint] = REFUSALS[code]
  return new Failure({ code, message, hint, data, retryable: RETRYABLE.includes(code) })
}
