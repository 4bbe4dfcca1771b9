import fc from 'fast-check'
import { expect, it } from 'vitest'
import { InspectionLine, verdictOf } from './inspection.ts'

const signature = { id: 'quote-signature', status: 'pass', needed: true } as const
const line = fc.record({
  id: fc.constantFrom('quote-signature', 'boot-measurement', 'compose-hash'),
  status: fc.constantFrom(...InspectionLine.shape.status.options),
  needed: fc.boolean(),
})

it('takes as verified what passes in everything that is needed', () => {
  const passing = [signature, { id: 'boot-measurement', status: 'pass', needed: true } as const]
  expect(verdictOf(passing, { simulated: false })).toBe('verified')
  expect(verdictOf([...passing, { id: 'health', status: 'skip', needed: false }], { simulated: false })).toBe('verified')
  expect(verdictOf([...passing, { id: 'url-binding', status: 'info', needed: true }], { simulated: false })).toBe('unproven')
  expect(verdictOf([...passing, { id: 'health', status: 'fail', needed: false }], { simulated: false })).toBe('failed')
  expect(verdictOf([], { simulated: false })).toBe('unproven')
})

it('never takes as verified what a stand-in signed, nor what one line says no to', () => {
  fc.assert(
    fc.property(fc.array(line), fc.boolean(), (lines, simulated) => {
      const verdict = verdictOf(lines, { simulated })
      if (simulated) expect(verdict).not.toBe('verified')
      else expect(verdict).not.toBe('simulated')
      expect(verdict === 'failed').toBe(lines.some(({ status }) => status === 'fail'))
      if (verdict === 'verified' || verdict === 'simulated')
        expect(lines).toContainEqual(expect.objectContaining({ id: 'quote-signature' }))
    }),
  )
})
