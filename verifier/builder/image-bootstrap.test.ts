import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { ARCHIVE_KEYRING, bootstrapBuilder } from './image-bootstrap.ts'
import { knownProfiles, readDefinition } from './image-definition.ts'

const DEFINITION = fileURLToPath(new URL('../../mkosi/builder', import.meta.url))
const options = {
  architecture: 'amd64',
  mode: 'root',
  proxyPort: 4321,
  keyring: ARCHIVE_KEYRING,
  preferences: null,
  temporary: '/tmp/t',
} as const

test('every profile is read, and each has what is needed to build and to leave the network to the proxy', async () => {
  const { versions } = await knownProfiles(DEFINITION)
  expect(versions).toContain('25.3')
  for (const version of versions) {
    const definition = await readDefinition(DEFINITION, version)
    const packages = Buffer.from(definition.files.get('builder.packages') ?? [])
      .toString()
      .split('\n')
    for (const name of ['mkosi', 'uidmap', 'libcap2-bin', 'python3', 'systemd-repart']) expect(packages).toContain(name)
    const sources = bootstrapBuilder({ ...options, definition }).files[0]?.content ?? ''
    for (const uri of sources.match(/^URIs: .*$/gm) ?? ['none'])
      expect(uri).toMatch(/^URIs: http:\/\/archive\.invalid\/debian(-security)?$/)
    expect(sources.match(/^Signed-By: /gm)?.length).toBe(definition.sources.length)
  }
})

test('the default profile is mkosi 25.3 on trixie', async () => {
  const definition = await readDefinition(DEFINITION, null)
  expect([definition.mkosi, definition.suite]).toEqual(['25.3', 'trixie'])
})

test.each(['99.9', '__proto__', 'toString', '../25.3'])('an unknown version is refused: %s', async (version) => {
  await expect(readDefinition(DEFINITION, version)).rejects.toMatchObject({ code: 'builder-profile-unknown' })
})

test('a folder without a definition is refused', async () => {
  await expect(readDefinition('/nonexistent', null)).rejects.toMatchObject({ code: 'builder-definition-malformed' })
})

test('nothing turns the check of signatures off', async () => {
  const definition = await readDefinition(DEFINITION, null)
  const { arguments: args, files } = bootstrapBuilder({ ...options, definition })
  const all = [...args, ...files.map(({ content }) => content)].join('\n')
  expect(all).not.toMatch(/trusted|allow-?(insecure|unauthenticated|weak|downgrade)|force-?yes/i)
})

test('the command depends on nothing but its arguments', async () => {
  const definition = await readDefinition(DEFINITION, null)
  const bootstrap = bootstrapBuilder({ ...options, definition })
  expect(bootstrap.environment).toEqual({
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/',
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    TMPDIR: '/tmp/t',
    SOURCE_DATE_EPOCH: String(definition.epoch),
  })
  expect(bootstrap.arguments).toContain('--aptopt=Acquire::http::Proxy "http://127.0.0.1:4321/"')
  expect(bootstrap.arguments.slice(-3)).toEqual(['trixie', '-', './builder.sources'])
})

test('a lock comes in as preferences of apt, before the first index is read', async () => {
  const definition = await readDefinition(DEFINITION, null)
  const { arguments: args, files } = bootstrapBuilder({ ...options, definition, preferences: 'Package: *\n' })
  expect(files).toContainEqual({ name: 'builder.pref', content: 'Package: *\n' })
  expect(args).toContain('--setup-hook=copy-in builder.pref /etc/apt/preferences.d')
})

test('a change to any file of the definition is a change of its digest', async () => {
  const one = await readDefinition(DEFINITION, '25.3')
  const again = await readDefinition(DEFINITION, '25.3')
  const other = await readDefinition(DEFINITION, '27.1')
  expect(again.digest).toBe(one.digest)
  expect(other.digest).not.toBe(one.digest)
})
