import fc from 'fast-check'
import { expect, it } from 'vitest'
import { shownName } from './shown-name.ts'

it.each([
  ['a b/report.json', '"a b/report.json"'],
  ['./größe', '"./größe"'],
  ['a\u001b[2J\nb', '"a\\x1b[2J\\x0ab"'],
  ['a\u202eb', '"a\\xe2\\x80\\xaeb"'],
  ['', '""'],
  ['https://user:secret@host/a', 'a URL'],
  ['user:secret@host', 'a URL'],
  ['x'.repeat(201), `"${'x'.repeat(200)}…"`],
])('shows %j as %s', (text, shown) => {
  expect(shownName(text)).toBe(shown)
})

it('shows nothing that moves a terminal, whatever the name is', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(shownName(text))))
})
