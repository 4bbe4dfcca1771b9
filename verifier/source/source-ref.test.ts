import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Failure } from '../model/failure.ts'
import { OWN_ACCESS, parseSourceRef, type SourceAccess, STRANGERS_ACCESS } from './source-ref.ts'

const ALL: SourceAccess = { files: true, localRepositories: true, plainHttp: true, privateHosts: true }
const COMMIT = '0123456789abcdef0123456789abcdef01234567'

function codeOf(text: string, access?: SourceAccess): string {
  try {
    parseSourceRef(text, access)
  } catch (error) {
    if (error instanceof Failure) return error.code
    throw error
  }
  return 'taken'
}

describe('parseSourceRef', () => {
  it.each([
    ['.', { kind: 'folder', folder: '.' }],
    ['./recipe', { kind: 'folder', folder: './recipe' }],
    ['recipe', { kind: 'folder', folder: 'recipe' }],
    ['mkosi/app', { kind: 'folder', folder: 'mkosi/app' }],
    ['.hidden', { kind: 'folder', folder: '.hidden' }],
    ['./-recipe', { kind: 'folder', folder: './-recipe' }],
    ['../recipe#1', { kind: 'folder', folder: '../recipe#1' }],
    ['/srv/recipe', { kind: 'folder', folder: '/srv/recipe' }],
    ['a.tar', { kind: 'archive', file: 'a.tar', path: '.' }],
    ['a#b.tar.gz#:images/web', { kind: 'archive', file: 'a#b.tar.gz', path: 'images/web' }],
    ['./a.tgz', { kind: 'archive', file: './a.tgz', path: '.' }],
    ['./a:b.tar.zst', { kind: 'archive', file: './a:b.tar.zst', path: '.' }],
    ['/a.tar.xz#:.', { kind: 'archive', file: '/a.tar.xz', path: '.' }],
  ])('reads %s', (text, expected) => {
    expect(parseSourceRef(text)).toEqual(expected)
  })

  const url = 'https://example.org/a/b.git'
  it.each([
    [url, { revision: null, path: '.' }],
    [`git+${url}`, { revision: null, path: '.' }],
    [`${url}#`, { revision: null, path: '.' }],
    [`${url}#main`, { revision: 'main', path: '.' }],
    [`${url}#feature/x-1:images/web`, { revision: 'feature/x-1', path: 'images/web' }],
    [`${url}#:images/#1:2`, { revision: null, path: 'images/#1:2' }],
    [`${url}#${COMMIT}:a`, { revision: COMMIT, path: 'a' }],
    [`${url}#refs/heads/--upload-pack=x`, { revision: 'refs/heads/--upload-pack=x', path: '.' }],
  ])('reads the repository %s', (text, expected) => {
    expect(parseSourceRef(text)).toEqual({ kind: 'git', url, ...expected })
  })

  it.each([
    ['git+https://example.org:8443/a', 'https://example.org:8443/a'],
    ['git+https://[2606:4700::1111]/a', 'https://[2606:4700::1111]/a'],
    ['git+http://example.org/a', 'http://example.org/a'],
    ['git+file:///srv/a', 'file:///srv/a'],
    ['file:///srv/a.git', 'file:///srv/a.git'],
    ['git+https://example.org/~user/a%20b', 'https://example.org/~user/a%20b'],
  ])('takes %s as %s where everything is allowed', (text, expected) => {
    expect(parseSourceRef(text, ALL)).toMatchObject({ url: expected })
  })

  it.each([
    ['', 'source-malformed'],
    ['-recipe', 'source-malformed'],
    ['./a\0b', 'source-malformed'],
    ['https://example.org/a', 'source-malformed'],
    [`./${'a'.repeat(5000)}`, 'source-malformed'],
    ['a.zip', 'source-archive-format'],
    ['a.tar.bz2#:b', 'source-archive-format'],
    ['ext::sh -c "touch /tmp/x"', 'source-protocol'],
    ['git+ext::sh%20-c%20x', 'source-protocol'],
    ['ssh://example.org/a.git', 'source-protocol'],
    ['git+ssh://git@example.org/a.git', 'source-protocol'],
    ['git@example.org:a/b.git', 'source-protocol'],
    ['my_name@example.org:a/b.git', 'source-protocol'],
    ['example.org:a/b.git', 'source-protocol'],
    ['git://example.org/a.git', 'source-protocol'],
    ['http://example.org/a.git', 'source-protocol'],
    ['file:///srv/a.git', 'source-protocol'],
    ['git+git+https://example.org/a.git', 'source-malformed'],
    ['https://user:secret@example.org/a.git', 'source-url-userinfo'],
    ['https://user@example.org/a.git', 'source-url-userinfo'],
    ['https://:@example.org/a.git', 'source-url-userinfo'],
    ['https:user:secret@example.org/a.git', 'source-url-userinfo'],
    ['HTTPS://example.org/a.git', 'source-protocol'],
    ['https://Example.org/a.git', 'source-url-malformed'],
    ['https://example.org:443/a.git', 'source-url-malformed'],
    ['https://0x7f.1/a.git', 'source-url-malformed'],
    ['https://127.1/a.git', 'source-url-malformed'],
    ['https://example.org/../a.git', 'source-url-malformed'],
    ['https://example.org/%2e%2e/a.git', 'source-url-malformed'],
    ['https://example.org/a b.git', 'source-url-malformed'],
    ['https://example.org/a\n.git', 'source-url-malformed'],
    ['https://example.org\\@evil.test/a.git', 'source-url-userinfo'],
    ['https://example.org\\evil.test/a.git', 'source-url-malformed'],
    ['https://example.org/a?b.git', 'source-url-malformed'],
    ['https://ex\u00e4mple.org/a.git', 'source-url-malformed'],
    ['https:///a.git', 'source-url-malformed'],
    ['https:example.org/a.git', 'source-url-malformed'],
    ['https://example.org', 'source-url-malformed'],
    [`${url}#--upload-pack=touch`, 'source-ref-malformed'],
    [`${url}#-x`, 'source-ref-malformed'],
    [`${url}#a..b`, 'source-ref-malformed'],
    [`${url}#a b`, 'source-ref-malformed'],
    [`${url}#a^{commit}`, 'source-ref-malformed'],
    [`${url}#a@{1}`, 'source-ref-malformed'],
    [`${url}#+a`, 'taken'],
    [`${url}#/etc`, 'source-ref-malformed'],
    [`${url}#a.lock`, 'source-ref-malformed'],
    [`${url}#a\u202eb`, 'source-ref-malformed'],
    [`${url}#main:`, 'source-path-malformed'],
    [`${url}#main:..`, 'source-path-malformed'],
    [`${url}#main:/etc`, 'source-path-malformed'],
    [`${url}#main:a//b`, 'source-path-malformed'],
    [`${url}#main:./a`, 'source-path-malformed'],
    [`${url}#main:a/`, 'source-path-malformed'],
    [`${url}#main:a\u0007`, 'source-path-malformed'],
    ['a.tar#:../b', 'source-path-malformed'],
  ])('answers %j with %s', (text, code) => {
    expect(codeOf(text)).toBe(code)
  })

  it.each(['.', '/etc', 'a/b', 'a.tar', 'file:///srv/a.git', 'http://example.org/a.git'])('takes no %s from strangers', (text) => {
    expect(codeOf(text, STRANGERS_ACCESS)).toMatch(/^source-(local-refused|protocol)$/)
  })

  it('takes no local repository unless that is allowed', () => {
    expect(codeOf('file:///srv/a.git', OWN_ACCESS)).toBe('source-protocol')
    expect(codeOf('git+file:///srv/a', { ...STRANGERS_ACCESS, localRepositories: true })).toBe('taken')
    expect(codeOf('git+file://host/srv/a', ALL)).toBe('source-url-malformed')
  })

  it('never repeats a password', () => {
    const secret = fc.stringMatching(/^[a-zA-Z0-9]{12,20}$/)
    const form = fc.constantFrom(
      'https://u:S@example.org/a.git',
      'git+https://S@h/a',
      'git+file://u:S@/a',
      'https://u:S@ex ample/a.git',
      'https:u:S@h',
    )
    fc.assert(
      fc.property(secret, form, (password, text) => {
        try {
          parseSourceRef(text.replace('S', password), ALL)
        } catch (error) {
          const { message, hint, data, stack } = error as Failure
          return !JSON.stringify([message, hint, data, stack]).includes(password)
        }
        return false
      }),
    )
  })

  it('gives any text a code or a reference whose parts are those of the text', () => {
    const piece = fc.constantFrom(
      'https://',
      'git+',
      'file:///',
      'ext::',
      '#',
      ':',
      '@',
      '..',
      '/',
      '.git',
      '.tar',
      '--x',
      'a',
      '\u0000',
      '\u202e',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join('')
        if (codeOf(text, ALL) !== 'taken') return true
        const ref = parseSourceRef(text, ALL)
        return text.includes(ref.kind === 'git' ? ref.url : ref.kind === 'archive' ? ref.file : ref.folder)
      }),
      { numRuns: 2000 },
    )
  })
})
