import { Failure } from '../../../verifier/model/failure.ts'

/** A request without credentials that needs some. */
export function credentialsMissing(): Failure {
  return new Failure({
    code: 'credentials-missing',
    message: 'this needs a token',
    hint: 'send the header `Authorization: Bearer TOKEN`, with a token that `token create` made, or with the identity token of a CI job',
  })
}

/** One answer to every token that does not count, so that it tells nobody why. */
export function tokenInvalid(): Failure {
  return new Failure({
    code: 'token-invalid',
    message: 'the token does not count here',
    hint: 'take one that `token create` made for this very service, and that has not ended and was not revoked; an identity token needs the audience, and a repository, that the operator configured',
  })
}
