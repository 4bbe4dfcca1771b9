import { expect, it } from 'vitest'
import { withPlaceholders } from './help-placeholders.ts'

const flags = { maxAge: { placeholder: 'AGE' }, key: { placeholder: 'FILE' }, output: { placeholder: 'FOLDER' }, json: {} }

it('puts what a flag takes beside its name, whatever brackets stand around it, and keeps the columns', () => {
  const help = [
    'FLAGS',
    '  -o  --output     Where to',
    '     [--key]...    Which',
    '     [--max-age]   How old  [default = 2d]',
    '     [--json]      For machines     [default = false]',
    '  -h  --help       Print help',
    '      --           The rest',
    '',
    '  SOURCE  A --key of it',
  ]
  expect(withPlaceholders(help.join('\n'), flags).split('\n')).toEqual([
    'FLAGS',
    '  -o  --output FOLDER  Where to',
    '     [--key FILE]...   Which',
    '     [--max-age AGE]   How old [default = 2d]',
    '     [--json]          For machines',
    '  -h  --help           Print help',
    '      --               The rest',
    '',
    '  SOURCE  A --key of it',
  ])
})

it('leaves a screen without flags as it is', () => {
  expect(withPlaceholders('USAGE\n  bitwitness --help\n', flags)).toBe('USAGE\n  bitwitness --help\n')
})
