import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { Failure } from '../../verifier/model/failure.ts'
import { readTargets } from './targets-file.ts'

const KEY = 'phak_very-secret'

describe('the file of targets', () => {
  let folder: string
  let key: string

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-targets-'))
    key = path.join(folder, 'key')
    await writeFile(key, `${KEY}\n`)
  })
  afterAll(() => rm(folder, { recursive: true }))

  const cloud = (change: object = {}) => ({
    name: 'cloud',
    kind: 'phala-cloud',
    key,
    owners: ['local:alice'],
    policies: ['production'],
    ...change,
  })
  const rack = (change: object = {}) => ({
    name: 'rack-1',
    kind: 'dstack-vmm',
    address: 'unix:/run/vmm.sock',
    osImages: { 'dstack-0.5.6': 'd'.repeat(64) },
    owners: ['https://issuer.example#repo:acme/**'],
    policies: ['production', 'canary'],
    ...change,
  })
  const read = async (content: unknown) => {
    const file = path.join(folder, 'targets.yaml')
    await writeFile(file, typeof content === 'string' ? content : stringify(content))
    return await readTargets(file)
  }
  const failureOf = async (content: unknown): Promise<Failure> => {
    const error: unknown = await read(content).catch((thrown: unknown) => thrown)
    if (error instanceof Failure) return error
    throw new Error('it was taken')
  }

  it('names targets, with the keys that lie in files', async () => {
    const [one, two] = await read({ targets: [cloud({ url: 'https://cloud.example/api/v1' }), rack({ token: key })] })
    expect(one).toMatchObject({ name: 'cloud', kind: 'phala-cloud', owners: ['local:alice'], policies: ['production'] })
    expect(one?.kind === 'phala-cloud' && [one.key.reveal(), one.url?.href]).toEqual([KEY, 'https://cloud.example/api/v1/'])
    expect(two).toMatchObject({ name: 'rack-1', address: { socketPath: '/run/vmm.sock' } })
    expect(two?.kind === 'dstack-vmm' && [two.token?.reveal(), [...two.osImages]]).toEqual([KEY, [['dstack-0.5.6', 'd'.repeat(64)]]])
    expect(JSON.stringify([one, two])).not.toContain(KEY)
  })

  it.each([
    ['nothing in it', ''],
    ['no target', { targets: [] }],
    ['a key in place of a file', { targets: [cloud({ key: KEY })] }],
    ['a key that it does not know', { targets: [cloud({ password: KEY })] }],
    ['a kind that nobody knows', { targets: [cloud({ kind: 'cloud' })] }],
    ['a name twice', { targets: [cloud(), cloud()] }],
    ['nobody who may', { targets: [cloud({ owners: [] })] }],
    ['no policy', { targets: [cloud({ policies: undefined })] }],
    ['a policy that is a path', { targets: [cloud({ policies: ['../x'] })] }],
    ['a name that is a path', { targets: [cloud({ name: '../x' })] }],
    ['a plain address of another’s network', { targets: [rack({ address: 'http://vmm.example/' })] }],
    ['no guest image', { targets: [rack({ osImages: {} })] }],
    ['no YAML of one reading', 'targets: &a [*a]'],
  ])('is refused with %s, and repeats nothing of it', async (_, content) => {
    const failure = await failureOf(content)
    expect(failure.code).toBe('targets-malformed')
    expect(`${failure.message} ${failure.hint}`).not.toContain(KEY)
  })

  it('is refused with everything that is the matter, and where to read on', async () => {
    const failure = await failureOf({ targets: [rack({ address: undefined, adress: 'unix:/x', owners: [] })] })
    for (const said of ['targets.0.owners is an empty list', 'targets.0.address is missing', 'a key that is not known: "adress"'])
      expect(failure.message).toContain(said)
    expect(failure.hint).toContain('docs/deploy.md')
    expect((await failureOf({ targets: [cloud(), cloud()] })).message).toContain('targets has to be a list in which no name stands twice')
    expect((await failureOf({ targets: [cloud({ kind: 'cloud' })] })).message).toContain('has to be one of `phala-cloud`, `dstack-vmm`')
  })

  it('is refused where it, or a key, cannot be read', async () => {
    await expect(readTargets(path.join(folder, 'absent'))).rejects.toMatchObject({ code: 'targets-unreadable' })
    expect((await failureOf({ targets: [cloud({ key: path.join(folder, 'absent') })] })).code).toBe('target-secret-unreadable')
    for (const text of ['', 'a b', 'a\nb', `${'x'.repeat(9000)}`]) {
      await writeFile(path.join(folder, 'bad'), text)
      const failure = await failureOf({ targets: [cloud({ key: path.join(folder, 'bad') })] })
      expect([failure.code, failure.message]).toEqual(['target-secret-unreadable', expect.not.stringContaining('x'.repeat(10))])
    }
  })

  it('fails by these codes alone, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.jsonValue().map((value) => stringify({ targets: value })),
        ),
        async (text) => {
          expect((await failureOf(text)).code).toMatch(/^target/)
        },
      ),
      { numRuns: 100 },
    )
  })
})
