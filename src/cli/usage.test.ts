import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { allScreens } from './app.ts'
import { ran } from './testing/terminal.ts'

const claim = `sha256:${'ab'.repeat(32)}`

describe('help', () => {
  const screens = allScreens().map(([route]) => route.replace(/^bitwitness ?/, ''))

  it.each(['', ...screens])('of bitwitness %s is as agreed, and opens nothing', async (route) => {
    const { exit, stdout, stderr, opened } = await ran([...route.split(' ').filter((part) => part !== ''), '--help'])
    const name = route === '' ? 'help' : `help-${route.replaceAll(' ', '-')}`
    await expect(stdout).toMatchFileSnapshot(path.join(import.meta.dirname, 'testdata', `${name}.txt`))
    expect([exit, stderr, opened]).toEqual([0, '', 0])
  })

  it('shows no line wider than a page', () => {
    const lines = allScreens().flatMap(([, text]) => text.split('\n'))
    expect(lines.filter((line) => line.length > 140)).toEqual([])
  })
})

describe('a command line that is wrong', () => {
  it.each([
    ['a command that is not there', ['verfy'], 'did you mean'],
    ['a flag that is not there', ['verify', '--clam', claim, 'dir'], 'did you mean'],
    ['no source', ['check'], 'SOURCE'],
    ['a source too many', ['check', 'one', 'two'], 'two'],
    ['a claim of an unknown kind', ['verify', '--claim', `image=${claim}`, 'dir'], 'oci-manifest'],
    ['a digest in capitals', ['verify', '--claim', claim.toUpperCase(), 'dir'], 'lower-case'],
    ['no attempt at all', ['check', '--attempts', '0', 'dir'], 'from 1 to 9'],
    ['a snapshot that is no date', ['check', '--snapshot', 'yesterday', 'dir'], '20241201T000000Z'],
  ])('with %s ends with exit code 2 and says so', async (_, args, said) => {
    const plain = await ran(args)
    expect([plain.exit, plain.stdout, plain.opened]).toEqual([2, '', 0])
    expect(plain.stderr).toContain(said)
    const json = await ran([...args, '--json'])
    expect(json.exit).toBe(2)
    expect(JSON.parse(json.stdout)).toMatchObject({ schema: 'bitwitness/error/v1', verdict: null, code: 'usage' })
  })

  it('with no claim ends with exit code 2 before anything is opened', async () => {
    const { exit, opened, stderr } = await ran(['verify', 'dir'])
    expect([exit, opened]).toEqual([2, 0])
    expect(stderr).toContain('add --claim')
    expect(JSON.parse((await ran(['verify', 'dir', '--json'])).stdout)).toMatchObject({ code: 'claim-missing' })
    expect((await ran(['verify', 'dir', '--claimed', 'ghcr.io/owner/app:latest@sha256:00'])).exit).toBe(2)
  })

  it('repeats nothing that moves a terminal', async () => {
    const { stderr } = await ran(['\u001b[2J'])
    expect(stderr).toContain('\\u{1b}[2J')
    expect(stderr).not.toContain('\u001b')
  })

  it('is not told --json by an argument behind --', async () => {
    const { exit, stdout } = await ran(['check', '--attempts', 'x', '--', '--json'])
    expect([exit, stdout]).toEqual([2, ''])
  })
})

it.each([
  [['help'], ['--help']],
  [
    ['help', 'verify'],
    ['verify', '--help'],
  ],
  [
    ['help', 'recipe', 'lint'],
    ['recipe', 'lint', '--help'],
  ],
  [['--version'], ['version']],
  [['-V'], ['version']],
  [
    ['--version', '--json'],
    ['version', '--json'],
  ],
])('takes %j as %j', async (typed, meant) => {
  const answer = await ran(typed)
  expect(answer).toEqual(await ran(meant))
  expect(answer.exit).toBe(0)
})

it('prints the version', async () => {
  expect(await ran(['version'])).toMatchObject({ exit: 0, stdout: '1.2.3\n' })
  expect(JSON.parse((await ran(['version', '--json'])).stdout)).toEqual({ schema: 'bitwitness/version/v1', version: '1.2.3' })
})
