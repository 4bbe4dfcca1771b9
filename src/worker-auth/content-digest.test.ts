import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { contentDigest, heldAgainst, readContentDigest } from './content-digest.ts'

// RFC 9530, B.1: the sha-256 of `{"hello": "world"}` and a line feed.
const HELLO = '{"hello": "world"}\n'
const FIELD = 'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:'

async function read(parts: readonly Uint8Array[], sha256: Parameters<typeof heldAgainst>[1]): Promise<Buffer> {
  return Buffer.concat(
    await Array.fromAsync(
      heldAgainst(
        (async function* () {
          yield* parts
        })(),
        sha256,
      ),
    ),
  )
}

describe('a Content-Digest', () => {
  it('is that of the examples of RFC 9530, and is read again', () => {
    expect(contentDigest(digestOf(HELLO))).toBe(FIELD)
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const digest = digestOf(bytes)
        expect(readContentDigest(contentDigest(digest))).toBe(digest)
      }),
    )
  })

  it.each([
    '',
    'sha-256',
    FIELD.slice(0, -1),
    ` ${FIELD}`,
    `${FIELD}, ${FIELD}`,
    `${FIELD};a=1`,
    `sha-512=:AA==:, ${FIELD}`,
    FIELD.replace('sha-256', 'SHA-256'),
    // Other bits that a lenient reader drops.
    FIELD.replace('Dg=', 'Dh='),
    `sha-256=:${'A'.repeat(44)}:`,
  ])('%j is none', (field) => {
    expect(readContentDigest(field)).toBeUndefined()
  })
})

describe('a body', () => {
  it('comes through as it is where it has the digest', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array()), async (parts) => {
        const whole = Buffer.concat(parts)
        expect(await read(parts, digestOf(whole))).toEqual(whole)
      }),
    )
  })

  it('ends with a failure where it is shorter, longer or another', async () => {
    for (const body of ['', HELLO.slice(0, -1), `${HELLO}\n`, HELLO.replace('w', 'W')])
      await expect(read([Buffer.from(body)], digestOf(HELLO))).rejects.toMatchObject({ code: 'content-digest-differs' })
  })
})
