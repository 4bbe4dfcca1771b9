import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import type { AttestationCheck } from './attestation-check.ts'
import { askOurs, type Question, questionOf } from './testing/ask.ts'
import { type Bundle, type CaseWorld, caseWorld } from './testing/case-world.ts'
import { CASES } from './testing/cases.ts'
import { SIGNER } from './testing/paper-sigstore.ts'

const GOOD = ['good-key-rekor1', 'good-key-timestamp', 'good-rekor1-timestamp', 'good-rekor2-timestamp'] as const
let world: CaseWorld
const questions = new Map<string, Question>()
beforeAll(async () => {
  world = await caseWorld()
  for (const name of GOOD) {
    const one = CASES[name]
    if (one !== undefined) questions.set(name, questionOf(await one.make(world), one, world))
  }
})

const good = fc.constantFrom(...GOOD)
const question = (name: string): Question => {
  const found = questions.get(name)
  if (found === undefined) throw new Error(`there is no case ${name}`)
  return found
}

/** Texts of a bundle, each by where it is: everything that it has, but its timestamps, most of which nothing signs. */
function texts(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value === 'string') return [at]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => (key === 'timestampVerificationData' ? [] : texts(inner, [...at, key])))
}

function edited(bundle: Bundle, at: readonly string[], edit: (text: string) => string): Bundle {
  const copy = structuredClone(bundle)
  const path = [...at]
  const last = path.pop() ?? ''
  const holder = path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], copy) as Record<string, string>
  holder[last] = edit(holder[last] ?? '')
  return copy
}

const whole = ({ verdict, checks }: AttestationCheck): boolean =>
  (verdict === 'verified') === !checks.some(({ result }) => result === 'fail') &&
  (verdict === 'rejected' || checks.every(({ code }) => code === null))

it('never verifies a bundle of which one byte was changed, in a text or in the bytes that it stands for', () => {
  fc.assert(
    fc.property(good, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean(), (name, where, offset, mask, decoded) => {
      const asked = question(name)
      const bundle = JSON.parse(asked.bundle.toString()) as Bundle
      const places = texts(bundle)
      const at = places[where % places.length] ?? []
      const changed = edited(bundle, at, (text) => {
        // Bytes, not their base64: the mutation then is one of the signature, the certificate, the body, and decodes.
        const bytes = decoded && /^[A-Za-z0-9+/]{8,}={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined
        const edit = bytes ?? Buffer.from(text)
        if (edit.length === 0) return '\u0001'
        const index = offset % edit.length
        edit[index] = (edit[index] ?? 0) ^ mask
        return bytes === undefined ? edit.toString('latin1') : edit.toString('base64')
      })
      const answer = askOurs({ ...asked, bundle: Buffer.from(JSON.stringify(changed)) })
      expect([at.join('.'), answer.verdict, whole(answer)]).toEqual([at.join('.'), 'rejected', true])
    }),
    { numRuns: 600 },
  )
})

it('takes from a changed timestamp no other time, and no other answer', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (offset, mask) => {
      const asked = question('good-rekor2-timestamp')
      const bundle = JSON.parse(asked.bundle.toString()) as Bundle
      const at = ['verificationMaterial', 'timestampVerificationData', 'rfc3161Timestamps', '0', 'signedTimestamp']
      const changed = edited(bundle, at, (text) => {
        const bytes = Buffer.from(text, 'base64')
        const index = offset % bytes.length
        bytes[index] = (bytes[index] ?? 0) ^ mask
        return bytes.toString('base64')
      })
      const answer = askOurs({ ...asked, bundle: Buffer.from(JSON.stringify(changed)) })
      expect(whole(answer)).toBe(true)
      if (answer.verdict === 'verified') expect(answer.signedAt).toBe(askOurs(asked).signedAt)
    }),
    { numRuns: 150 },
  )
})

it('answers whatever it is given, and verifies none of it', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => Buffer.from(text)),
    good.chain((name) => fc.nat().map((cut) => question(name).bundle.subarray(0, cut % question(name).bundle.length))),
  )
  fc.assert(
    fc.property(good, bytes, (name, bundle) => {
      const answer = askOurs({ ...question(name), bundle: Buffer.from(bundle) })
      expect([answer.verdict, whole(answer)]).toEqual(['rejected', true])
    }),
  )
})

it('verifies for the name that signed and for no other, whatever characters are in it', async () => {
  const name = fc
    .string({ unit: fc.constantFrom(...'.*+?^${}()|[]\\/-#@abc'.split('')), minLength: 1, maxLength: 12 })
    .map((text) => `x:${text}`)
  await fc.assert(
    fc.asyncProperty(name, name, async (signed, wanted) => {
      const bundle = Buffer.from(JSON.stringify(await world.keyless({ with: { certificate: { subjectAlternativeName: signed } } })))
      const under = (subjectAlternativeName: string): string =>
        askOurs({
          ...question('good-rekor1-timestamp'),
          bundle,
          now: new Date(),
          policy: {
            ...question('good-rekor1-timestamp').policy,
            signer: { kind: 'certificate', issuer: SIGNER.issuer, subjectAlternativeName },
          },
        }).verdict
      expect([under(signed), under(wanted), under(`${signed}.*`), under(`^${signed}$`)]).toEqual([
        'verified',
        wanted === signed ? 'verified' : 'rejected',
        'rejected',
        'rejected',
      ])
    }),
    { numRuns: 20 },
  )
})
