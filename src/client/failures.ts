import { Failure } from '../../verifier/model/failure.ts'
import { jsonOf } from '../../verifier/model/json-of.ts'
import { Problem } from '../app/service/api-documents.ts'

/** No code of ours is longer, and no sentence. */
const CODE = /^[a-z][a-z0-9-]{1,63}$/
const SENTENCE = 1000

/** What the service says of why it does not do what it was asked. Its words are for whoever shows them to make visible. */
export function problemOf(status: number, body: Uint8Array): Failure {
  const problem = Problem.partial().safeParse(jsonOf(Buffer.from(body).toString('utf8'))).data
  const { code, detail, hint } = problem ?? {}
  if (code === undefined || !CODE.test(code) || detail === undefined || hint === undefined)
    return new Failure({
      code: 'server-refused',
      message: `the server answered HTTP ${status}, and not as a Bitwitness service does`,
      hint: 'check the address, and whether something stands between here and the service',
      retryable: status >= 500,
      data: { answered: status },
    })
  return new Failure({
    code,
    message: detail.slice(0, SENTENCE),
    hint: hint.slice(0, SENTENCE),
    retryable: status >= 500 || status === 429 || status === 408,
    data: { answered: status },
  })
}

/** `hint`: for where more is to be said than to try again. */
export function unreachable(why: string, hint = 'check the address and the network, and run it again'): Failure {
  return new Failure({
    code: 'server-unreachable',
    message: `the server could not be reached (${why})`,
    hint,
    retryable: true,
  })
}

export function malformed(): Failure {
  return new Failure({
    code: 'server-answer-malformed',
    message: 'the server answered with what this version does not know',
    hint: 'check that the address is of a Bitwitness service, and bring client and service to the same version',
  })
}
