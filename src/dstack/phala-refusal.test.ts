import fc from 'fast-check'
import { expect, it } from 'vitest'
import { duplicate, structured, validation } from '../../test/stand-ins/phala-refusals.ts'
import { phalaRefusal } from './phala-refusal.ts'

const THEIRS = 'a text of theirs'

it.each([
  [400, { detail: THEIRS }, 'target-order-refused', { status: 400 }],
  [422, validation('instance_type', THEIRS), 'target-order-refused', { status: 422, fields: ['instance_type'] }],
  [422, validation(THEIRS, THEIRS), 'target-order-refused', { status: 422 }],
  [409, duplicate(THEIRS), 'target-name-taken', { status: 409, errorCode: 'ERR-01-004', fields: ['name'] }],
  [400, duplicate(THEIRS), 'target-name-taken', { status: 400, errorCode: 'ERR-01-004', fields: ['name'] }],
  [409, structured('ERR-03-007', THEIRS), 'target-app-taken', { status: 409, errorCode: 'ERR-03-007' }],
  [400, structured('ERR-04-001', THEIRS), 'target-without-room', { status: 400, errorCode: 'ERR-04-001' }],
  [400, structured(THEIRS, THEIRS), 'target-order-refused', { status: 400 }],
  [402, undefined, 'target-without-room', { status: 402 }],
  [465, structured('ERR-01-005', THEIRS), 'target-kms-on-chain', { status: 465, errorCode: 'ERR-01-005' }],
  [503, undefined, 'target-failing', { status: 503 }],
])('a refusal with %i is a code of ours, with fields that are ours', (status, body, code, data) => {
  const failure = phalaRefusal(status, body)
  expect([failure.code, failure.data, failure.retryable]).toEqual([code, data, code === 'target-failing'])
})

it('repeats no text of whoever refuses, whatever form it has', () => {
  const text = fc.constant(THEIRS)
  const detail = fc.oneof(
    text,
    fc.array(fc.record({ msg: text, loc: fc.array(fc.oneof(text, fc.nat())), type: text }, { requiredKeys: [] }), { maxLength: 4 }),
    fc.record({ error_code: text, message: text, details: fc.array(fc.dictionary(fc.constantFrom('field', 'value', 'message'), text)) }),
    fc.jsonValue(),
  )
  fc.assert(
    fc.property(fc.integer({ min: 300, max: 599 }), fc.record({ detail }), (status, body) => {
      const { code, message, hint, data } = phalaRefusal(status, body)
      expect(code).toMatch(/^target-/)
      expect(JSON.stringify([message, hint, data])).not.toContain(THEIRS)
    }),
  )
})
