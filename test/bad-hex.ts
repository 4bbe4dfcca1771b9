import type { Random } from '../verifier/compare/testing/random.ts'

const NOT_HEX = [
  'g',
  'x',
  'G',
  '-',
  ' ',
  '.',
  '\u0660',
  '\uff11',
  '\u0430',
  '\u200b',
  '\u2028',
  '\u0000',
  '\n',
  '\ud83d',
  '%',
  '\\',
  '"',
  '{',
  '\u0131',
  '\ufeff',
]

export function one<T>(random: Random, from: readonly T[]): T {
  const picked = random.pick(from)
  if (picked === undefined) throw new Error('nothing to pick from')
  return picked
}

/** What is not the hex of as many bytes as `value` is, however near it comes: a byte more or less, filled up, another digit, another kind. */
export function badHex(random: Random, value: string): unknown {
  const at = random.below(value.length)
  const odd = one(random, NOT_HEX)
  return one<unknown>(random, [
    value.slice(1),
    value.slice(2),
    value.slice(0, -1),
    value.slice(0, -2),
    `0x${value.slice(2)}`,
    `0x${value.slice(0, -2)}`,
    `0${value}`,
    `00${value}`,
    `${value}0`,
    `${value}00`,
    `0x${value}00`,
    `0X${value}`,
    `0x0x${value}`,
    `x${value}`,
    `${odd}${value}`,
    `${value}${odd}`,
    `${value.slice(0, at)}${odd}${value.slice(at + 1)}`,
    `${value.slice(0, at)}${odd}${value.slice(at)}`,
    value.replaceAll(/[0-9]/g, (digit) => String.fromCharCode(0xff10 + Number(digit))).padStart(value.length + 1, '\uff10'),
    value.slice(0, random.below(value.length)),
    value.repeat(2),
    Buffer.from(value, 'hex').toString('base64'),
    BigInt(`0x${value}`).toString(),
    '0x',
    'null',
    Number(`0x${value}`),
    0,
    true,
    null,
    [value],
    [],
    {},
    { '0': value, length: 1 },
    { toString: value, valueOf: value },
    { type: 'Buffer', data: [...Buffer.from(value, 'hex')] },
  ])
}
