import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readIssuers } from './read-issuers.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-issuers-'))
})
afterEach(() => rm(folder, { recursive: true }))

const publicUrl = new URL('https://bitwitness.example/')
async function read(text: string, o: { publicUrl: URL | null } = { publicUrl }) {
  const file = path.join(folder, 'issuers.yaml')
  await writeFile(file, text)
  return await readIssuers(file, o)
}
const GITHUB = 'https://token.actions.githubusercontent.com'
const issuer = (lines: string, rules = '[{repositories: [a/b]}]'): string =>
  `issuers:\n  - ${lines.replaceAll('\n', '\n    ')}\n    rules: ${rules}\n`

describe('the file of issuers', () => {
  it('is read as the documentation shows it', async () => {
    const page = await readFile(path.join(import.meta.dirname, '../../docs/identities.md'), 'utf8')
    const example = /```yaml\n(issuers:[^`]*)```/.exec(page)?.[1] ?? ''
    await writeFile(path.join(folder, 'ca.pem'), 'CERTIFICATE')
    const issuers = await read(example.replace('/etc/bitwitness/gitlab-ca.pem', path.join(folder, 'ca.pem')))
    expect(issuers).toEqual([
      {
        issuer: GITHUB,
        kind: 'github',
        audience: 'https://bitwitness.example',
        repositoriesAt: 'https://github.com',
        authorities: null,
        privateHost: false,
        rules: [
          {
            repositories: ['octo-org/image'],
            ownerId: '65',
            refs: ['refs/heads/main', 'refs/tags/v*'],
            environments: ['release'],
            trusted: true,
          },
          { repositories: ['octo-org/*'], trusted: false },
        ],
      },
      {
        issuer: 'https://gitlab.example',
        kind: 'gitlab',
        audience: 'bitwitness',
        repositoriesAt: 'https://gitlab.example',
        authorities: 'CERTIFICATE',
        privateHost: true,
        rules: [{ repositories: ['my-group/**'], trusted: false }],
      },
    ])
  })

  it.each([
    ['nothing', ''],
    ['no issuer', 'issuers: []'],
    ['an issuer twice', `issuers:\n${`  - {issuer: ${GITHUB}, kind: github, rules: [{repositories: [a/b]}]}\n`.repeat(2)}`],
    ['a key that is not known', issuer(`issuer: ${GITHUB}\nkind: github\nscopes: [submit]`)],
    ['a key twice', issuer(`issuer: ${GITHUB}\nkind: github\nkind: gitlab`)],
    ['another kind', issuer(`issuer: ${GITHUB}\nkind: bitbucket`)],
    ['no rule', issuer(`issuer: ${GITHUB}\nkind: github`, '[]')],
    ['a rule for nothing', issuer(`issuer: ${GITHUB}\nkind: github`, '[{repositories: []}]')],
    ['a rule for an account alone', issuer(`issuer: ${GITHUB}\nkind: github`, "[{repositories: ['*']}]")],
    ['a rule with a slip', issuer(`issuer: ${GITHUB}\nkind: github`, '[{repositories: [a/b], ref: [main]}]')],
    ['a rule with no refs at all', issuer(`issuer: ${GITHUB}\nkind: github`, '[{repositories: [a/b], refs: []}]')],
    ['trust in a name', issuer(`issuer: ${GITHUB}\nkind: github`, '[{repositories: [a/b], trusted: true}]')],
    ['trust in words', issuer(`issuer: ${GITHUB}\nkind: github`, "[{repositories: [a/b], ownerId: 1, trusted: 'yes'}]")],
    ['an id that is none', issuer(`issuer: ${GITHUB}\nkind: github`, '[{repositories: [a/b], ownerId: 1.5}]')],
    ['a pattern of many stars', issuer(`issuer: ${GITHUB}\nkind: github`, "[{repositories: ['a/*b*c*d*e*']}]")],
    ['an issuer without TLS', issuer('issuer: http://gitlab.example\nkind: gitlab')],
    ['an issuer with a slash at its end', issuer('issuer: https://gitlab.example/\nkind: gitlab')],
    ['an issuer with a password', issuer('issuer: https://user:secret@gitlab.example\nkind: gitlab')],
    ['an issuer with a query', issuer('issuer: https://gitlab.example?a=b\nkind: gitlab')],
    ['an issuer in capitals', issuer('issuer: https://GitLab.example\nkind: gitlab')],
    ['an alias', `a: &a ${GITHUB}\n${issuer('issuer: *a\nkind: github')}`],
    ['no text', '\u0000'],
  ])('with %s is refused', async (_, text) => {
    await expect(read(text)).rejects.toMatchObject({ code: 'issuers-malformed', message: expect.not.stringContaining('secret') })
  })

  it('says in which line it is wrong', async () => {
    await expect(read(issuer(`issuer: ${GITHUB}\nkind: bitbucket`))).rejects.toMatchObject({
      message: 'the file of issuers cannot be taken: line 3: issuers.0.kind has to be one of `github`, `gitlab`',
    })
  })

  it('needs an audience, and a place of the repositories, that nobody can guess', async () => {
    await expect(read(issuer(`issuer: ${GITHUB}\nkind: github`), { publicUrl: null })).rejects.toMatchObject({ code: 'issuers-incomplete' })
    await expect(read(issuer('issuer: https://ghes.example/_services/token\nkind: github'))).rejects.toMatchObject({
      code: 'issuers-incomplete',
    })
    const [own] = await read(issuer('issuer: https://ghes.example/_services/token\nkind: github\nrepositoriesAt: https://ghes.example'))
    expect(own?.repositoriesAt).toBe('https://ghes.example')
  })

  it('is refused where it, or an authority that it names, cannot be read', async () => {
    await expect(readIssuers(path.join(folder, 'absent'), { publicUrl })).rejects.toMatchObject({ code: 'issuers-unreadable' })
    await expect(readIssuers(folder, { publicUrl })).rejects.toMatchObject({ code: 'issuers-unreadable' })
    await expect(read('x'.repeat(300_000))).rejects.toMatchObject({ code: 'issuers-unreadable' })
    await expect(read(issuer(`issuer: ${GITHUB}\nkind: github\nca: ${folder}/absent`))).rejects.toMatchObject({
      code: 'issuers-unreadable',
    })
  })
})
