import { expect, it } from 'vitest'
import { aptSandboxTree, aptSuites } from './apt-sandbox.ts'

const sources = (options: Partial<Parameters<typeof aptSandboxTree>[0]> = {}): string =>
  aptSandboxTree({ suite: 'trixie', architecture: 'amd64', ...options })[0]?.content ?? ''

it('names the archives of a stable suite, each signed by the keyring of Debian', () => {
  expect(sources({ components: ['non-free-firmware', 'main'] })).toBe(`Types: deb
URIs: http://archive.invalid/debian
Suites: trixie trixie-updates
Components: main non-free-firmware
Architectures: amd64
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://archive.invalid/debian-security
Suites: trixie-security
Components: main non-free-firmware
Architectures: amd64
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`)
})

it('can be asked which suites it names', () => {
  expect(aptSuites(aptSandboxTree({ suite: 'trixie', architecture: 'amd64' }))).toEqual([
    { archive: 'debian', suite: 'trixie' },
    { archive: 'debian', suite: 'trixie-updates' },
    { archive: 'debian-security', suite: 'trixie-security' },
  ])
  expect(aptSuites(aptSandboxTree({ suite: 'sid', architecture: 'amd64' }))).toEqual([{ archive: 'debian', suite: 'sid' }])
  expect(aptSuites([])).toEqual([])
})

it('names one suite alone where nothing is released', () => {
  expect(sources({ suite: 'sid' }).match(/^Suites: .*$/gm)).toEqual(['Suites: sid'])
})

it('is the same for a dated build, so that a build cannot tell', () => {
  expect(aptSandboxTree({ suite: 'trixie', architecture: 'amd64', snapshot: '20241201T000000Z' })).toEqual(
    aptSandboxTree({ suite: 'trixie', architecture: 'amd64', snapshot: null }),
  )
})

it('turns off no check of a signature', () => {
  const text = aptSandboxTree({ suite: 'bookworm', architecture: 'amd64' }).map(({ content }) => content)
  expect(text.join('\n')).not.toMatch(/trusted|allow-?insecure|allow-?weak|verify-peer|unauthenticated/i)
})

it.each([
  ['suite', { suite: 'jessie' }],
  ['suite that is a key of every object', { suite: 'constructor' }],
  ['suite with a line break', { suite: 'sid\nTrusted: yes' }],
  ['component', { components: ['main\nTrusted: yes'] }],
  ['absence of components', { components: [] }],
  ['architecture', { architecture: 'amd64\nTrusted: yes' }],
  ['date', { snapshot: '2024-12-01' }],
])('refuses an unknown %s', (_, options) => {
  expect(() => sources(options)).toThrow(expect.objectContaining({ code: 'apt-sources-unknown' }))
})
