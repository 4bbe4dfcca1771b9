import { Failure } from '../../verifier/model/failure.ts'

const LATER = 'run it again: what was started is found'
const OPERATOR = 'ask whoever runs the target; nothing of it was believed'
const ELSEWHERE = 'order it for another node or another instance type, or make room there'

/** How a target can stop us. The words are ours alone: a target's own can hold a secret, or anything. */
const FAILURES = {
  'target-unreachable': ['the target cannot be reached, answers too late, or broke off', LATER],
  'target-failing': ['the target answers with errors of its own, or takes no more requests for now', LATER],
  'target-redirects': [
    'the target redirects, which is not followed: what is sent is for it alone',
    'give the address that it has itself, with its path',
  ],
  'target-address-plain': [
    'the target would be spoken to without TLS',
    'give an https address; only a target of this machine may have another',
  ],
  'target-answer-malformed': ['the target answers what its protocol does not have, or more than is read', OPERATOR],
  'target-credentials-refused': ['the target does not let this account do it', 'give a key or token of it that is good for this'],
  'target-order-refused': [
    'the target refuses what was ordered',
    'look at name, node, image, instance type and app-compose; the data of the failure says what of it the target names',
  ],
  'target-order-unsupported': [
    'the order says what this target cannot be told, so that something else would run',
    'leave out what the data of the failure names, or order it of another target',
  ],
  'target-name-taken': ['something of another deployment has this name at the target', 'order it under another name, or remove the other'],
  'target-app-taken': [
    'a guest of this app runs at the target already, and is not of this deployment',
    'a running app is not updated: remove the other, or order another app',
  ],
  'target-app-id-unavailable': [
    'the target does not give this app id to a new app',
    'ask it for the next that it gives, have the policy admit that one, and order it',
  ],
  'target-without-room': ['the target has no room for it, or the account no means', ELSEWHERE],
  'target-kms-on-chain': [
    'the KMS asks a contract on a chain, and a transaction is needed that nothing here signs',
    'choose the KMS of the target itself, or register the compose hash in the contract and commit with the program of the target',
  ],
  'target-environment-undeclared': [
    'the environment has a name that the app-compose does not allow',
    'write it into allowed_envs of the app-compose: it is measured, and the guest drops every other',
  ],
  'target-environment-key-missing': [
    'the target gives no key to encrypt the environment to',
    'order with a KMS; without one there is nowhere for a secret to go',
  ],
} as const satisfies Readonly<Record<string, readonly [message: string, hint: string]>>

export type TargetFailureCode = keyof typeof FAILURES

const RETRYABLE: readonly TargetFailureCode[] = ['target-unreachable', 'target-failing']

/** Facts for machines: the number of an answer, names of ours, codes of a list that we know. Never a text of the target's. */
export type TargetFailureData = {
  readonly status?: number
  readonly errorCode?: string
  readonly fields?: readonly string[]
}

/** `retryable` where something else than the code says so: after something was started, a look at it is worth another try. */
export function targetFailure(code: TargetFailureCode, data: TargetFailureData = {}, retryable = RETRYABLE.includes(code)): Failure {
  const [message, hint] = FAILURES[code]
  return new Failure({ code, message, hint, data, retryable })
}
