import fc from 'fast-check'
import { expect, it } from 'vitest'
import { logText } from './log-lines.ts'

async function textOf(...parts: readonly (string | Uint8Array)[]): Promise<string> {
  const all: Uint8Array[] = []
  const given = async function* () {
    for (const part of parts) yield Buffer.from(part)
  }
  for await (const part of logText(given())) all.push(part)
  return Buffer.concat(all).toString('utf8')
}

it('shows what would move a terminal, and keeps what reads as a log', async () => {
  expect(await textOf('one\ttwo\r\n\u001b[2Jthree \u202e four\n\u0007')).toBe('one\ttwo\n\\x1b[2Jthree \\xe2\\x80\\xae four\n\\x07\n')
  expect(await textOf()).toBe('')
  expect(await textOf('a'.repeat(5000))).toBe(`${'a'.repeat(4096)}\n${'a'.repeat(904)}\n`)
})

it('says the same in whatever parts the log comes, and nothing that a terminal obeys', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat(300), async (bytes, cut) => {
      const whole = await textOf(bytes)
      expect(await textOf(bytes.subarray(0, cut), bytes.subarray(cut))).toBe(whole)
      expect(whole.replaceAll(/[\n\t]/g, '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    }),
  )
})
