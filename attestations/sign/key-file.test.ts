import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KEY_NAME, openKey, readKeyFile } from './key-file.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-key-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function keyFile(pem: string, mode = 0o600): Promise<string> {
  const file = path.join(folder, 'given.pem')
  await writeFile(file, pem)
  await chmod(file, mode)
  return file
}

const pair = (namedCurve = 'P-256') => generateKeyPairSync('ec', { namedCurve })
const pkcs8 = { type: 'pkcs8', format: 'pem' } as const

describe('the key of a home', () => {
  it('is made at the first start, for its owner only, and is the same from then on', async () => {
    const made = await openKey(folder)
    expect((await stat(path.join(folder, KEY_NAME))).mode & 0o777).toBe(0o600)
    const again = await openKey(folder)
    expect([again.fingerprint, again.publicKeyPem, again.privateKeyPem]).toEqual([made.fingerprint, made.publicKeyPem, made.privateKeyPem])
    expect(await readdir(folder)).toEqual([KEY_NAME])
  })

  it('is one and the same for processes that start at once', async () => {
    const script = `const { openKey } = await import(${JSON.stringify(path.join(import.meta.dirname, 'key-file.ts'))})
      while (Date.now() < Number(process.argv[2]));
      process.stdout.write((await openKey(process.argv[1])).fingerprint)`
    // Late enough for all to be waiting by then.
    const start = Date.now() + 3000
    const runs = Array.from({ length: 4 }, () =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, folder, String(start)]),
    )
    const fingerprints = (await Promise.all(runs)).map(({ stdout }) => stdout)
    expect(new Set(fingerprints)).toEqual(new Set([(await openKey(folder)).fingerprint]))
    expect(await readdir(folder)).toEqual([KEY_NAME])
  })

  it('replaces nothing that came to lie in its place, so that the first key stays', async () => {
    // A link that leads nowhere is not there to read, and there to write.
    await symlink('nowhere', path.join(folder, KEY_NAME))
    await expect(openKey(folder)).rejects.toMatchObject({ code: 'key-unreadable' })
    expect(await readlink(path.join(folder, KEY_NAME))).toBe('nowhere')
    expect(await readdir(folder)).toEqual([KEY_NAME])
  })

  it('is not made where it cannot be written, and nothing is left behind', async () => {
    await expect(openKey(path.join(folder, 'absent'))).rejects.toMatchObject({ code: 'key-not-made' })
    expect(await readdir(folder)).toEqual([])
  })

  it('is not taken where others may read it', async () => {
    await openKey(folder)
    await chmod(path.join(folder, KEY_NAME), 0o640)
    await expect(openKey(folder)).rejects.toMatchObject({ code: 'key-not-private' })
  })
})

describe('a key that is given', () => {
  it('is taken as PKCS #8 and as SEC 1, and behind a symbolic link', async () => {
    const { privateKey, publicKey } = pair()
    const link = path.join(folder, 'link.pem')
    await symlink('given.pem', link)
    for (const type of ['pkcs8', 'sec1'] as const) {
      await keyFile(privateKey.export({ type, format: 'pem' }).toString())
      expect((await readKeyFile(link)).publicKeyPem).toBe(publicKey.export({ type: 'spki', format: 'pem' }))
    }
  })

  it.each([
    ['on another curve', pair('P-384').privateKey.export(pkcs8), 'key-unsupported'],
    ['of RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(pkcs8), 'key-unsupported'],
    ['of Ed25519', generateKeyPairSync('ed25519').privateKey.export(pkcs8), 'key-unsupported'],
    ['that is encrypted', pair().privateKey.export({ ...pkcs8, cipher: 'aes-256-cbc', passphrase: 'x' }), 'key-encrypted'],
    [
      'that is encrypted in the old way',
      pair().privateKey.export({ type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }),
      'key-encrypted',
    ],
    [
      'that cosign encrypted',
      '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n',
      'key-encrypted',
    ],
    ['that is only the public half', pair().publicKey.export({ type: 'spki', format: 'pem' }), 'key-malformed'],
    ['that is cut off', pair().privateKey.export(pkcs8).toString().slice(0, 100), 'key-malformed'],
    ['that is empty', '', 'key-malformed'],
  ])('%s is refused, and nothing of it is repeated', async (_, pem, code) => {
    const failure: unknown = await readKeyFile(await keyFile(pem.toString())).catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'Failure', code })
    expect(failure).not.toHaveProperty('cause')
  })

  it.each([0o604, 0o640, 0o620, 0o644])('with mode %o is refused', async (mode) => {
    const file = await keyFile(pair().privateKey.export(pkcs8).toString(), mode)
    await expect(readKeyFile(file)).rejects.toMatchObject({ code: 'key-not-private' })
  })

  it('is refused where it is no file, not there, or too long', async () => {
    await mkdir(path.join(folder, 'dir'))
    await promisify(execFile)('mkfifo', ['-m', '600', path.join(folder, 'pipe')])
    for (const file of [
      path.join(folder, 'dir'),
      path.join(folder, 'absent'),
      path.join(folder, 'pipe'),
      await keyFile('x'.repeat(70_000)),
    ])
      await expect(readKeyFile(file)).rejects.toMatchObject({ code: 'key-unreadable' })
  })

  it('shows its public half and no more, however it is printed', async () => {
    const key = await openKey(folder)
    const secret = (await readFile(path.join(folder, KEY_NAME), 'utf8')).split('\n')[1] ?? ''
    expect(key.privateKeyPem).toContain(secret)
    const { inspect } = await import('node:util')
    expect(JSON.stringify(key) + inspect(key, { depth: 9, showHidden: true })).not.toContain(secret)
  })
})
