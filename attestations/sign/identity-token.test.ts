import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { readToken, tokenOf } from './identity-token.ts'

const now = new Date('2026-11-27T12:00:00Z')
const claims = { iss: 'https://issuer.example', sub: 'planted-subject', exp: now.getTime() / 1000 + 300 }
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const jwt = (payload: unknown): string => `${part({ alg: 'ES256' })}.${part(payload)}.${part('signature')}`
const failureOf = (token: string): unknown => {
  try {
    return readToken(tokenOf(token), now)
  } catch (error) {
    return error
  }
}

describe('an identity token', () => {
  it('is read with white space around it', () => {
    const read = readToken(tokenOf(` ${jwt(claims)}\n`), now)
    expect([read.claims, read.challenge, read.secret.reveal()]).toEqual([claims, 'planted-subject', jwt(claims)])
  })

  it.each([true, 'true'])('with an e-mail address that is verified (%j) is challenged for the address', (email_verified) => {
    expect(readToken(tokenOf(jwt({ ...claims, email: 'a@mail.example', email_verified })), now).challenge).toBe('a@mail.example')
  })

  it.each([[undefined], [false], ['false']])('with an e-mail address that is not verified (%j) is refused', (email_verified) => {
    expect(failureOf(jwt({ ...claims, email: 'planted@mail.example', email_verified }))).toMatchObject({
      code: 'identity-token-email-unverified',
    })
  })

  it('is expired a minute after its end and not before, whatever the clocks', () => {
    const ended = (seconds: number): unknown => failureOf(jwt({ ...claims, exp: now.getTime() / 1000 - seconds }))
    expect(ended(59)).toMatchObject({ challenge: 'planted-subject' })
    expect(ended(60)).toMatchObject({ code: 'identity-token-expired', retryable: true })
  })

  it.each([
    ['empty', ''],
    ['no token', 'planted'],
    ['of two parts', 'planted.planted'],
    ['of four parts', `${jwt(claims)}.planted`],
    ['not base64url', `a.${Buffer.from('{"planted":"?>?>"}').toString('base64')}==.b`],
    ['not JSON', `a.${Buffer.from('planted {').toString('base64url')}.b`],
    ['no object', jwt('planted')],
    ['null', jwt(null)],
    ['without an issuer', jwt({ ...claims, iss: undefined })],
    ['without a subject', jwt({ ...claims, sub: undefined })],
    ['without an end', jwt({ ...claims, exp: undefined })],
    ['too long', jwt({ ...claims, planted: 'x'.repeat(20_000) })],
    ['of two lines', `${jwt(claims)}\n${jwt(claims)}`],
  ])('that is %s is refused, and nothing of it is repeated', (_, token) => {
    const failure = failureOf(token)
    expect(failure).toMatchObject({ name: 'Failure', code: 'identity-token-malformed', retryable: false })
    expect(inspect(failure, { depth: 9, showHidden: true }) + JSON.stringify(failure)).not.toMatch(/planted|eyJ/)
  })
})

it('a secret shows itself to nobody who did not ask', () => {
  const secret = tokenOf('hunter2')
  const shown = [
    inspect(secret, { showHidden: true }),
    '' + String(secret),
    JSON.stringify({ secret }),
    String([secret]),
    inspect({ a: { secret } }),
  ]
  expect(shown.join()).not.toContain('hunter2')
  expect(secret.reveal()).toBe('hunter2')
})
