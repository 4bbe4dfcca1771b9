import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readLogin } from './docker-config.ts'
import { endpointOf } from './endpoint.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-docker-config-'))
})
afterEach(() => rm(folder, { recursive: true }))

const PASSWORD = 'planted-password-31e7'
const auth = Buffer.from(`somebody:${PASSWORD}`).toString('base64')

async function login(config: unknown, registry: string) {
  await writeFile(path.join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config))
  return await readLogin(folder, endpointOf(registry, []).credentialNames)
}

/** What it would tell a registry. */
async function told(config: unknown, registry: string): Promise<unknown> {
  const found = await login(config, registry)
  if (found?.kind !== 'credentials') return found
  const { credentials } = found
  return credentials.kind === 'password'
    ? `${credentials.username}:${credentials.password.reveal()}`
    : `token ${credentials.token.reveal()}`
}

describe("Docker's config", () => {
  it('that is not there has no login', async () => {
    expect(await readLogin(path.join(folder, 'absent'), ['ghcr.io'])).toBeNull()
  })

  it.each([
    ['docker.io', { 'https://index.docker.io/v1/': { auth } }],
    ['docker.io', { 'index.docker.io': { auth } }],
    ['docker.io', { 'docker.io': { auth } }],
    ['ghcr.io', { 'ghcr.io': { auth } }],
    ['ghcr.io', { 'https://ghcr.io': { auth } }],
    ['ghcr.io', { 'https://ghcr.io/v2/': { auth } }],
    ['127.0.0.1:5000', { 'http://127.0.0.1:5000/v1/': { auth } }],
    ['ghcr.io', { 'ghcr.io': { username: 'somebody', password: PASSWORD } }],
  ])('has a login for %s in %j', async (registry, auths) => {
    expect(await told({ auths }, registry)).toBe(`somebody:${PASSWORD}`)
  })

  it.each([
    ['ghcr.io', { 'evil-ghcr.io': { auth } }],
    ['ghcr.io', { 'ghcr.io.evil.example': { auth } }],
    ['ghcr.io', { 'ghcr.io/owner': { auth } }],
    ['ghcr.io', { 'evil.example/ghcr.io': { auth } }],
    ['ghcr.io', { 'ghcr.io:443': { auth } }],
    ['127.0.0.1:5000', { '127.0.0.1': { auth } }],
    ['docker.io', { 'hub.docker.io': { auth } }],
    ['ghcr.io', { 'ghcr.io': {} }],
    ['ghcr.io', {}],
  ])('has no login for %s in %j', async (registry, auths) => {
    expect(await login({ auths }, registry)).toBeNull()
  })

  it('gives what names the registry exactly the first turn', async () => {
    const other = Buffer.from('other:x').toString('base64')
    expect(await told({ auths: { 'https://ghcr.io/v1/': { auth: other }, 'ghcr.io': { auth } } }, 'ghcr.io')).toBe(`somebody:${PASSWORD}`)
  })

  it('knows identity tokens, and passwords with colons', async () => {
    expect(await told({ auths: { 'ghcr.io': { auth, identitytoken: 'planted-identity' } } }, 'ghcr.io')).toBe('token planted-identity')
    expect(await told({ auths: { 'ghcr.io': { auth: Buffer.from('<token>:abc').toString('base64') } } }, 'ghcr.io')).toBe('token abc')
    expect(await told({ auths: { 'ghcr.io': { auth: Buffer.from('a:b:c\0').toString('base64') } } }, 'ghcr.io')).toBe('a:b:c')
  })

  it('names programs, one for a registry before the one for all, before what the file holds', async () => {
    const auths = { 'ghcr.io': { auth } }
    const credHelpers = { 'https://ghcr.io': 'gh', 'https://index.docker.io/v1/': 'hub' }
    expect(await login({ auths, credsStore: 'pass', credHelpers }, 'ghcr.io')).toEqual({
      kind: 'program',
      program: 'gh',
      server: 'ghcr.io',
    })
    expect(await login({ credHelpers }, 'docker.io')).toEqual({ kind: 'program', program: 'hub', server: 'https://index.docker.io/v1/' })
    expect(await login({ auths, credsStore: 'pass', credHelpers }, 'quay.io')).toEqual({
      kind: 'program',
      program: 'pass',
      server: 'quay.io',
    })
    expect(await told({ auths, credsStore: '' }, 'ghcr.io')).toBe(`somebody:${PASSWORD}`)
  })

  it.each([
    ['no JSON', `{"auths": {"ghcr.io": {"auth": "${auth}"`],
    ['another form', JSON.stringify({ auths: { 'ghcr.io': { auth: [PASSWORD] } } })],
    ['an auth without a name', JSON.stringify({ auths: { 'ghcr.io': { auth: Buffer.from(PASSWORD).toString('base64') } } })],
    ['too much', ' '.repeat(1024 * 1024 + 1)],
  ])('with %s is refused, and nothing of it is said', async (_, text) => {
    const error: unknown = await login(text, 'ghcr.io').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'registry-credentials-unreadable' })
    expect(inspect(error, { depth: 10 })).not.toMatch(/planted|c29tZWJvZHk/)
  })

  it('that is a folder or a device is refused', async () => {
    const file = path.join(folder, 'config.json')
    await mkdir(file)
    await expect(readLogin(folder, ['ghcr.io'])).rejects.toMatchObject({ code: 'registry-credentials-unreadable' })
    await rm(file, { recursive: true })
    await symlink('/dev/zero', file)
    await expect(readLogin(folder, ['ghcr.io'])).rejects.toMatchObject({ code: 'registry-credentials-unreadable' })
  })

  it('shows no secret when a login is printed', async () => {
    const found = await login({ auths: { 'ghcr.io': { auth } } }, 'ghcr.io')
    const shown = [
      inspect(found, { depth: 10, showHidden: true }),
      JSON.stringify(found),
      String(found?.kind === 'credentials' && found.credentials.kind === 'password' && found.credentials.password),
    ]
    expect(shown.join()).not.toContain('planted')
  })
})
