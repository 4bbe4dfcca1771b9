import { Failure } from '../../verifier/model/failure.ts'

/** A server that signing talks to. */
export type Service = 'fulcio' | 'rekor' | 'tsa'

/**
 * How a server let us down. `refused`: it answered 4xx or sent us elsewhere. `failed`: it answered 5xx or 429 until we gave up.
 * `unreachable`: no whole answer came. `timeout`: none came in time. `malformed`: the answer could not be read. `wrong`: it could, and is
 * not an answer to what was asked.
 */
export type Trouble = 'refused' | 'failed' | 'unreachable' | 'timeout' | 'malformed' | 'wrong'

const WORDS: Readonly<Record<`${Service}-${Trouble}`, readonly [message: string, hint: string]>> = {
  'fulcio-refused': [
    'Fulcio refused to certify this identity',
    'look whether it accepts the issuer and audience of the identity token; the public instance accepts only its listed issuers',
  ],
  'fulcio-failed': ['Fulcio answers with an error of its own', 'try again later, or look after the server at BITWITNESS_FULCIO_URL'],
  'fulcio-unreachable': ['Fulcio cannot be reached', 'check the network and BITWITNESS_FULCIO_URL'],
  'fulcio-timeout': ['Fulcio did not answer in time', 'try again later, or look after the server at BITWITNESS_FULCIO_URL'],
  'fulcio-malformed': ['the answer of Fulcio cannot be read', 'check that BITWITNESS_FULCIO_URL is the address of a Fulcio server'],
  'fulcio-wrong': [
    'Fulcio gave a certificate that is not the one we asked for',
    'trust no certificate of this server until this is explained',
  ],
  'rekor-refused': ['Rekor refused the log entry', 'check that BITWITNESS_REKOR_URL and BITWITNESS_REKOR_VERSION belong together'],
  'rekor-failed': ['Rekor answers with an error of its own', 'try again later, or look after the server at BITWITNESS_REKOR_URL'],
  'rekor-unreachable': ['Rekor cannot be reached', 'check the network and BITWITNESS_REKOR_URL'],
  'rekor-timeout': [
    'Rekor did not answer in time',
    'try again later; a Rekor v2 server answers after its checkpoint interval at the earliest',
  ],
  'rekor-malformed': ['the answer of Rekor cannot be read', 'check that BITWITNESS_REKOR_URL and BITWITNESS_REKOR_VERSION belong together'],
  'rekor-wrong': ['Rekor gave a log entry that is not for this signature', 'trust no entry of this server until this is explained'],
  'tsa-refused': ['the timestamp authority refused the request', 'check that BITWITNESS_TSA_URL is the address of its JSON API'],
  'tsa-failed': [
    'the timestamp authority answers with an error of its own',
    'try again later, or look after the server at BITWITNESS_TSA_URL',
  ],
  'tsa-unreachable': ['the timestamp authority cannot be reached', 'check the network and BITWITNESS_TSA_URL'],
  'tsa-timeout': ['the timestamp authority did not answer in time', 'try again later, or look after the server at BITWITNESS_TSA_URL'],
  'tsa-malformed': ['the answer of the timestamp authority cannot be read', 'check that BITWITNESS_TSA_URL is the address of its JSON API'],
  'tsa-wrong': [
    'the timestamp authority gave a timestamp that is not for this signature',
    'trust no timestamp of this server until this is explained',
  ],
}

/** What trying again without changing anything may get over. */
const RETRYABLE: ReadonlySet<Trouble> = new Set(['failed', 'unreachable', 'timeout', 'malformed'])

/**
 * The failure of a server, in our words alone: neither its text nor an error of a library goes with it, since both can hold the identity
 * token. `status` is the HTTP status, `errno` the code of the operating system or of TLS, where there is one.
 */
export function serviceFailure(service: Service, trouble: Trouble, seen: { status?: number; errno?: string } = {}): Failure {
  const code = `${service}-${trouble}` as const
  const [message, hint] = WORDS[code]
  const detail = seen.status === undefined ? seen.errno : `HTTP ${seen.status}`
  return new Failure({
    code,
    message: detail === undefined ? message : `${message} (${detail})`,
    hint,
    audience: 'operator',
    data: { status: seen.status ?? null, errno: seen.errno ?? null },
    retryable: RETRYABLE.has(trouble),
  })
}
