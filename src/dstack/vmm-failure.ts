import { Failure } from '../../verifier/model/failure.ts'
import type { TargetFailureData } from './target-failure.ts'

const OPERATOR = 'ask whoever runs the target; nothing of it was left running'

/** How a VMM can stop us beside what any target can. */
const FAILURES = {
  'target-option-missing': ['the order does not say which guest image to run', 'name one that the target lists'],
  'target-compose-unsendable': ['the app-compose is no text in UTF-8, and the target takes no other bytes', 'write it in UTF-8'],
  'target-compose-hash-differs': ['the target makes another compose hash of the app-compose than its bytes have', OPERATOR],
  'target-configuration-differs': ['what lies at the target is not what it was told to keep', OPERATOR],
  'target-started-unasked': ['the target started what it was told to keep stopped', OPERATOR],
  'target-guest-gone': ['the guest that was made is not at the target any more', 'order it again, if it is to run'],
  'target-image-unknown': ['the target has no guest image of this name', 'name one that it lists, or have its operator add this one'],
  'target-image-dev': ['the guest image is one for developers, into which people can log in', 'name one that is none'],
} as const satisfies Readonly<Record<string, readonly [message: string, hint: string]>>

export function vmmFailure(code: keyof typeof FAILURES, data: TargetFailureData = {}): Failure {
  const [message, hint] = FAILURES[code]
  return new Failure({ code, message, hint, data })
}
