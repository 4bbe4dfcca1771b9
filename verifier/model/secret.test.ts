import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { Secret } from './secret.ts'

it('shows its text to whoever asks for it, and nowhere else', () => {
  const secret = new Secret('planted')
  const error = new Error('no', { cause: { secret } })
  const shown = [String(secret), JSON.stringify({ secret }), inspect({ secret }, { depth: 9, showHidden: true }), inspect(error)]
  expect(shown.join()).not.toContain('planted')
  expect(secret.reveal()).toBe('planted')
})
