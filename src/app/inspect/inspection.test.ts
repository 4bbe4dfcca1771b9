import { readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodeDocument } from '../../../verifier/model/document.ts'
import { Inspection, InspectionLine, verdictOf } from './inspection.ts'
import { LINES } from './lines.ts'

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

it('is read and written again to the same bytes, and says what its lines come to', () => {
  const text = readFileSync(path.join(import.meta.dirname, 'testdata', 'inspection-simulated.json'), 'utf8')
  const inspection = Inspection.parse(JSON.parse(text))
  expect(encodeDocument(Inspection, inspection)).toBe(text)
  expect(verdictOf(inspection.lines, { simulated: true })).toBe(inspection.verdict)
})

it('has every line on its page, with whether it is needed', () => {
  const page = readFileSync(path.join(import.meta.dirname, '../../../docs/inspect.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `([a-z0-9-]+)` \| .* \| (yes)? ?\|$/gm)].map(([, id, needed]) => [id, needed === 'yes'])
  expect(rows).toEqual(Object.entries(LINES).map(([id, [, , needed]]) => [id, needed]))
})
