import { Failure } from '../../../verifier/model/failure.ts'

const GIVE = 'give the app-compose.json, or the Compose file, of one app'

const FAILURES = {
  'compose-too-large': ['the file is larger than any app-compose', GIVE],
  'compose-not-utf8': ['the file is not UTF-8', 'take it again from who made it; write it by a JSON or YAML library'],
  'compose-unreadable': ['the app-compose is JSON that can be read in more than one way', 'write it again by a JSON library'],
  'compose-no-app': [
    'it is a Compose file, and no app-compose',
    'dstack measures the app-compose.json that it is put into: give that, or make one by compose create',
  ],
} as const satisfies Readonly<Record<string, readonly [message: string, hint: string]>>

export function failedCompose(code: keyof typeof FAILURES): Failure {
  const [message, hint] = FAILURES[code]
  return new Failure({ code, message, hint })
}
