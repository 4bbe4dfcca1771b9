import { gzipSync } from 'node:zlib'
import type { Random } from '../verifier/compare/testing/random.ts'
import { badHex, one } from './bad-hex.ts'

/** A webhook, and what it would say yes to. */
export type Webhook = {
  /** Below the URL of a policy. */
  readonly path: string
  readonly valid: Readonly<Record<string, unknown>>
  /** Keys of measurements that have to be there, at their exact lengths. */
  readonly hex: readonly string[]
  /** Key of the instance, which may be empty. */
  readonly instance: string
  /** Values of other kinds that are none, by key. */
  readonly wrong: Readonly<Record<string, readonly unknown[]>>
  /** What another webhook would say yes to, and this one does not understand. */
  readonly foreign: Readonly<Record<string, unknown>>
}

export type Question = { readonly how: string; readonly body: Uint8Array; readonly headers: Readonly<Record<string, string>> }

const JSON_TYPE = { 'content-type': 'application/json' }
const NO_JSON = [
  '',
  ' ',
  '{',
  '}',
  '[',
  'null',
  'true',
  '0',
  '-0',
  '""',
  '[]',
  '{}',
  '[{}]',
  'undefined',
  'NaN',
  '{"a":NaN}',
  "{'a':1}",
  '//',
  '<a/>',
  'a: b',
  '\u0000',
]
const TYPES = [
  '',
  'text/plain',
  'text/json',
  'application/jsonp',
  'application/json, text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=a',
  'application/problem+json',
  'application/json5',
  'text/plain; a=application/json',
  'application/octet-stream',
  'application/jsonx;',
  'json',
]

type Make = (random: Random, hook: Webhook) => Omit<Question, 'how'>

const text = (value: string, headers: Question['headers'] = JSON_TYPE): Omit<Question, 'how'> => ({ body: Buffer.from(value), headers })
const bytes = (body: Uint8Array): Omit<Question, 'how'> => ({ body, headers: JSON_TYPE })
const json = (value: unknown): Omit<Question, 'how'> => text(JSON.stringify(value))
const written = ({ valid }: Webhook): string => JSON.stringify(valid)

/** Ways to say a question so that nobody may understand it. None of them leaves one that is only written otherwise. */
const WAYS: Readonly<Record<string, Make>> = {
  'a measurement': (random, hook) => {
    const key = one(random, hook.hex)
    return json({ ...hook.valid, [key]: badHex(random, String(hook.valid[key])) })
  },
  'an instance': (random, hook) => {
    const value = one(random, [badHex(random, '5'.repeat(40)), '5'.repeat(64), ' ', '0x5', '0x0'])
    return json({ ...hook.valid, [hook.instance]: value === '' || value === '0x' ? '0' : value })
  },
  'a value of another kind': (random, hook) => {
    const key = one(random, Object.keys(hook.wrong))
    return json({ ...hook.valid, [key]: one(random, hook.wrong[key] ?? []) })
  },
  'a key that is not there': (random, hook) => {
    const key = one(random, hook.hex)
    const { [key]: value, ...others } = hook.valid
    const odd = [key.toUpperCase(), `${key} `, `${key}\0`, `\ufeff${key}`, key.replace('a', '\u0430'), `${key}[]`, `.${key}`].filter(
      (name) => name !== key,
    )
    return json(random.below(3) === 0 ? others : { ...others, [one(random, odd)]: value })
  },
  'a key twice': (random, hook) => {
    const key = one(random, Object.keys(hook.valid))
    const name = random.below(2) === 0 ? key : `\\u${key.charCodeAt(0).toString(16).padStart(4, '0')}${key.slice(1)}`
    const value = one(random, [hook.valid[key], '', null, 0, 'ff'])
    const [body, again] = [written(hook), `"${name}":${JSON.stringify(value)}`]
    return text(random.below(2) === 0 ? `{${again},${body.slice(1)}` : `${body.slice(0, -1)},${again}}`)
  },
  'a prototype': (random, hook) => {
    const body = written(hook)
    return text(
      one(random, [
        `{"__proto__":${body}}`,
        `{"__proto__":null,${body.slice(1)}`,
        `{"\\u005f_proto__":{},${body.slice(1)}`,
        `{"constructor":${body}}`,
      ]),
    )
  },
  'one inside of another': (random, hook) => {
    const body = written(hook)
    const depth = 17 + random.below(200)
    return text(
      one(random, [
        `[${body}]`,
        `{"info":${body}}`,
        JSON.stringify(body),
        `${body}${body}`,
        `${body}\n${body}`,
        `${'['.repeat(depth)}${']'.repeat(depth)}`,
        `${body.slice(0, -1)},"x":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`,
      ]),
    )
  },
  'half of it': (random, hook) => {
    const body = written(hook)
    return text(random.below(2) === 0 ? body.slice(0, random.below(body.length)) : body.slice(1 + random.below(body.length - 1)))
  },
  'more than it': (random, hook) =>
    text(`${written(hook)}${one(random, [',', '}', ']', '\0', 'null', '//', '0', '"', '\ufeff', '\u00a0', ';'])}`),
  'punctuation that is not there': (random, hook) => {
    const body = written(hook)
    const places = Array.from(body.matchAll(/[{}":,]/g), ({ index }) => index)
    const at = one(random, places)
    // A bracket for a brace, and nothing for a quote, a colon or a comma, is no JSON whatever stands around it.
    return text(`${body.slice(0, at)}${'{}'.includes(body[at] ?? '') ? '(' : ''}${body.slice(at + 1)}`)
  },
  'no JSON': (random) => text(one(random, NO_JSON)),
  'another alphabet': (random, hook) => {
    const body = written(hook)
    const utf16 = Buffer.from(body, 'utf16le')
    return bytes(
      one(random, [
        Buffer.from(`\ufeff${body}`),
        utf16,
        Buffer.concat([Buffer.of(0xff, 0xfe), utf16]),
        Buffer.from(utf16).swap16(),
        gzipSync(body),
      ]),
    )
  },
  'bytes that are no text': (random, hook) => {
    const body = Buffer.from(written(hook))
    const at = random.below(body.length)
    const odd = one(random, [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0x80], [0xe2, 0x82]])
    return bytes(Buffer.concat([body.subarray(0, at), Buffer.from(odd), body.subarray(at)]))
  },
  noise: (random) => bytes(Buffer.from(Array.from({ length: random.below(300) }, () => random.below(256)))),
  'too much': (random, hook) => text(`${' '.repeat(64 * 1024 + random.below(10_000))}${written(hook)}`),
  'numbers that not all read alike': (random, hook) =>
    text(`${written(hook).slice(0, -1)},"x":${one(random, ['1e999', '9007199254740993', '-1e400', '01', '1.', '.5', '+1', '0x1'])}}`),
  'another type': (random, hook) => {
    const type = one(random, TYPES)
    return text(written(hook), type === '' ? {} : { 'content-type': type })
  },
  'for another webhook': (_, hook) => json(hook.foreign),
}

export const WAYS_OF_MALFORMING: readonly string[] = Object.keys(WAYS)

export function malformedQuestion(random: Random, hook: Webhook): Question {
  const how = one(random, WAYS_OF_MALFORMING)
  const make = WAYS[how]
  if (make === undefined) throw new Error('no such way')
  return { how, ...make(random, hook) }
}
