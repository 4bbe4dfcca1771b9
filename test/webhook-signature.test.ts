import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { expect, it } from 'vitest'
import { webhookHeaders, webhookSecret } from '../src/app/service/webhook-signature.ts'

const root = fc.uint8Array({ minLength: 32, maxLength: 32 })

it('is what the library of the specification verifies, for the owner that it is for and for these bytes', () => {
  fc.assert(
    fc.property(root, fc.uuid(), fc.uuid(), fc.json(), (bytes, owner, other, body) => {
      const secret = webhookSecret(bytes, owner)
      const headers = webhookHeaders(secret, { id: `msg_${owner}`, at: new Date(), body })
      expect(new Webhook(secret).verify(body, { ...headers })).toEqual(JSON.parse(body))
      expect(() => new Webhook(secret).verify(`${body} `, { ...headers })).toThrow('No matching signature')
      expect(() => new Webhook(secret).verify(body, { ...headers, 'webhook-id': 'msg_else' })).toThrow('No matching signature')
      if (other !== owner) expect(() => new Webhook(webhookSecret(bytes, other)).verify(body, { ...headers })).toThrow('No matching')
    }),
    { numRuns: 50 },
  )
})

it('grows old', () => {
  const secret = webhookSecret(new Uint8Array(32), 'owner')
  const headers = webhookHeaders(secret, { id: 'msg_1', at: new Date(Date.now() - 600_000), body: '{}' })
  expect(() => new Webhook(secret).verify('{}', { ...headers })).toThrow('Message timestamp too old')
})

it('is made by a secret that its root and its owner alone decide', () => {
  expect(webhookSecret(new Uint8Array(32), 'owner')).toBe(webhookSecret(new Uint8Array(32), 'owner'))
  expect(webhookSecret(new Uint8Array(32).fill(1), 'owner')).not.toBe(webhookSecret(new Uint8Array(32), 'owner'))
  expect(webhookSecret(new Uint8Array(32), 'owner')).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
})
