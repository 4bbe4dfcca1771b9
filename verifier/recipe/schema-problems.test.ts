import fc from 'fast-check'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { expectation, schemaProblems } from './schema-problems.ts'

const Schema = z.strictObject({
  mode: z.enum(['enforce', 'observe']),
  version: z.literal('v1').default('v1'),
  signers: z
    .array(z.union([z.strictObject({ key: z.string() }), z.strictObject({ issuer: z.string(), name: z.string() })]))
    .min(1)
    .default([{ key: 'k' }]),
  apps: z
    .record(z.string().regex(/^[0-9a-f]{40}$/), z.strictObject({ devices: z.union([z.literal('any'), z.array(z.string())]) }))
    .default({}),
  maxAge: z.number().positive().max(10).default(1),
  attempts: z.int().default(1),
  file: z.string().startsWith('/').default('/'),
  url: z
    .string()
    .refine((text) => URL.canParse(text), 'a URL')
    .default('a:b'),
  odd: z
    .string()
    .refine((text) => text === '')
    .default(''),
  target: z
    .discriminatedUnion('kind', [z.strictObject({ kind: z.literal('a') }), z.strictObject({ kind: z.literal('b') })])
    .default({ kind: 'a' }),
})
const APP = 'ab'.repeat(20)

function messages(value: unknown): readonly string[] {
  const { error } = Schema.safeParse(value, { error: expectation })
  return schemaProblems(error?.issues ?? [], value).map(({ message }) => message)
}

it.each<[string, object, ...string[]]>([
  ['a key that is missing', {}, 'mode is missing, and has to be one of `enforce`, `observe`'],
  ['a word that is none of them', { mode: 'enforced' }, 'mode has to be one of `enforce`, `observe`'],
  ['another version', { version: 'v2' }, 'version has to be `v1`'],
  ['an empty list', { signers: [] }, 'signers is an empty list, and has to be a list of at least 1'],
  ['a text for a list', { signers: 'x' }, 'signers is a text, and has to be a list'],
  [
    'keys that are not known',
    { mod: 1, modes: 2 },
    'the document has a key that is not known: "mod"',
    'the document has a key that is not known: "modes"',
  ],
  [
    'the form that was meant, and a typo in it',
    { signers: [{ issuer: 'x', nme: 'y' }] },
    'signers.0.name is missing, and has to be a text',
    'signers.0 has a key that is not known: "nme"',
  ],
  [
    'a key that is too short',
    { apps: { '12345678': { devices: 'any' } } },
    'apps.12345678 is no key that can stand there: it has to be 40 hex digits in small letters',
  ],
  ['what may be either', { apps: { [APP]: { devices: 'all' } } }, `apps.${APP}.devices has to be \`any\` or a list`],
  ['either, and missing', { apps: { [APP]: {} } }, `apps.${APP}.devices is missing, and has to be \`any\` or a list`],
  ['a number that is too small', { maxAge: 0 }, 'maxAge has to be more than 0'],
  ['a number that is too large', { maxAge: 11 }, 'maxAge has to be at most 10'],
  ['no end', { maxAge: Number.POSITIVE_INFINITY }, 'maxAge is no finite number, and has to be a number'],
  ['half of one', { attempts: 0.5 }, 'attempts is a number, and has to be a whole number'],
  ['a path from somewhere', { file: 'x' }, 'file has to be a text that begins with `/`'],
  ['a message of the schema', { url: 'x' }, 'url has to be a URL'],
  ['what nobody says', { odd: 'x' }, 'odd is not what it should be'],
  ['another kind', { target: { kind: 'c' } }, 'target.kind has to be one of `a`, `b`'],
  ['null', { mode: null }, 'mode is empty, and has to be one of `enforce`, `observe`'],
])('says what is there and what has to be: %s', (_, change, ...said) => {
  expect(messages('mode' in change || said[0]?.startsWith('mode') === true ? change : { mode: 'observe', ...change })).toEqual(said)
})

it('repeats of a value nothing but keys, and these escaped', () => {
  expect(messages({ mode: 'observe', 'a\u001b[2Jb': 1 })[0]).not.toContain('\u001b')
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('mode', 'signers', 'apps', 'url', 'target', 'x'), fc.jsonValue()), (value) => {
      const marked: unknown = JSON.parse(JSON.stringify(value), (_, inner: unknown) =>
        typeof inner === 'string' ? `SECRET${inner}` : inner,
      )
      expect(
        messages(marked)
          .join('\n')
          .replaceAll(/"[^\n]*"/g, ''),
      ).not.toContain('SECRET')
    }),
  )
})
