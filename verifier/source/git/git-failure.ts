import type { Failure } from '../../model/failure.ts'
import { type SourceFailureCode, sourceFailure } from '../failures.ts'
import type { GitFailed } from './git.ts'

/**
 * What git 2.37 to 2.5x says in its C locale, by cause, first match first. A server may say any of it: what it can get by that is a
 * failure of another name.
 */
const SAID: readonly (readonly [RegExp, SourceFailureCode])[] = [
  [
    /not our ref|unadvertised object|couldn't find remote ref|no such remote ref|did not send all necessary objects/i,
    'source-commit-missing',
  ],
  [/fsck error|empty filename in tree|error in object/i, 'source-objects-malformed'],
  // An answer that broke off ends index-pack as well: only what is left after it speaks of the pack itself.
  [/early EOF|unexpected disconnect|RPC failed|hung up|unexpectedly|Could not resolve|Failed to connect|timed out/i, 'source-unreachable'],
  [/index-pack (?:failed|died)|invalid index-pack output|bad pack header|inflate returned/i, 'source-objects-malformed'],
  [/SSL certificate|certificate verif|alternative certificate subject|no alternative cert/i, 'source-tls'],
  [/dumb http transport/i, 'source-server-too-old'],
  [/dubious ownership/i, 'source-repository-owner'],
  [/unable to update url base from redirection|returned error: 30\d/i, 'source-redirected'],
  [
    /returned error: 40[0134]|returned error: 410|could not read Username|Authentication failed|does not appear to be a git repository|repository .*not found/i,
    'source-repository-missing',
  ],
  [/transport '.*' not allowed/i, 'source-protocol'],
]

export function gitFailure(error: GitFailed): Failure {
  const [, code] = SAID.find(([pattern]) => pattern.test(error.said)) ?? [undefined, 'source-unreachable' as const]
  return sourceFailure(code, {}, error)
}
