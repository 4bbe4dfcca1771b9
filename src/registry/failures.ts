import { Failure } from '../../verifier/model/failure.ts'

const LATER = 'run it again: what arrived stays there'
const LOGIN = 'log in as Docker does (docker login HOST), or check what the account may do'
const OPERATOR = "tell the registry's operator; nothing of it was believed"

/** What a registry can do to stop us. The words are ours alone: a registry's own can hold a token, or anything. */
const FAILURES = {
  'registry-unreachable': ['the registry cannot be reached, or broke off', 'look at its name and at the network, and run it again'],
  'registry-tls-untrusted': [
    "the registry's certificate is not one that is trusted here",
    'give the CA that it is from by BITWITNESS_REGISTRY_CA',
  ],
  'registry-without-tls': [
    'what answers in the place of the registry does not speak TLS',
    'only a registry of this machine, or one that BITWITNESS_REGISTRY_PLAIN_HTTP names, is spoken to without',
  ],
  'registry-rate-limited': ['the registry answers no more requests for now', 'wait, then run it again; logged in, limits are often wider'],
  'registry-failing': ['the registry answers with errors of its own', LATER],
  'registry-credentials-missing': ['the registry wants to know who asks', 'log in as Docker does: docker login HOST'],
  'registry-denied': ['the registry refuses this to the account that asks, or to everybody', LOGIN],
  'registry-challenge-refused': ['the registry sends its visitors for a token where nobody should ask', OPERATOR],
  'registry-token-refused': ['the service that gives tokens for the registry gives none', LOGIN],
  'registry-redirect-refused': ['the registry redirects to where nothing is fetched from or sent to', OPERATOR],
  'registry-answer-malformed': ['the registry answers what its protocol does not have', OPERATOR],
  'registry-answer-too-large': ['the registry answers more than is read', OPERATOR],
  'registry-digest-differs': ['the registry gives other bytes than were asked for, or keeps other bytes than were sent', OPERATOR],
  'registry-not-found': ['the registry has no such image, or shows it only to others', 'look for a typing error; log in if it is private'],
  'registry-refused': ['the registry does not take what was sent', "look at the registry's rules for names, sizes and kinds of manifests"],
  'registry-upload-failed': ['the bytes did not reach the registry, however often it was tried', LATER],
  'registry-referrers-contended': ['others write the list of what is attached to this image at the same time', LATER],
} as const satisfies Readonly<Record<string, readonly [message: string, hint: string]>>

export type RegistryFailureCode = keyof typeof FAILURES

const RETRYABLE: readonly RegistryFailureCode[] = [
  'registry-unreachable',
  'registry-rate-limited',
  'registry-failing',
  'registry-upload-failed',
  'registry-referrers-contended',
]

/** Facts for machines: the number of an answer, our own word for what was done, a digest, how long to wait. Never a text of the registry's. */
export type RegistryFailureData = {
  readonly status?: number
  readonly action?: string
  readonly reason?: string
  readonly sha256?: string
  readonly retryAfterSeconds?: number
  readonly limit?: number
}

export function registryFailure(code: RegistryFailureCode, data: RegistryFailureData = {}): Failure {
  const [message, hint] = FAILURES[code]
  return new Failure({ code, message, hint, data, retryable: RETRYABLE.includes(code) })
}
