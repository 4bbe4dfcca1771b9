import { execFile } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inspect, promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openWorkerKey, readWorkerKey, WORKER_KEY_NAME } from './worker-key.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-worker-key-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function keyFile(pem: string | Buffer, mode = 0o600): Promise<string> {
  const file = path.join(folder, 'given.pem')
  await writeFile(file, pem)
  await chmod(file, mode)
  return file
}

const pkcs8 = { type: 'pkcs8', format: 'pem' } as const

describe('the key of a worker', () => {
  it('is made once, for its owner only, and is the one that OpenSSL reads', async () => {
    const made = await openWorkerKey(folder)
    const file = path.join(folder, WORKER_KEY_NAME)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect([(await openWorkerKey(folder)).publicKey, (await readWorkerKey(file)).publicKey]).toEqual([made.publicKey, made.publicKey])
    expect(await readdir(folder)).toEqual([WORKER_KEY_NAME])
    const { stdout } = await promisify(execFile)('openssl', ['pkey', '-in', file, '-pubout', '-outform', 'DER'], { encoding: 'buffer' })
    expect(stdout.toString('base64')).toBe(made.publicKey)
    const publicKey = createPublicKey({ key: stdout, format: 'der', type: 'spki' })
    expect(verify(null, Buffer.from('said'), publicKey, made.sign(Buffer.from('said')))).toBe(true)
  })

  it.each([
    ['of ECDSA', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(pkcs8), 'key-unsupported'],
    ['of X25519', generateKeyPairSync('x25519').privateKey.export(pkcs8), 'key-unsupported'],
    [
      'that is encrypted',
      generateKeyPairSync('ed25519').privateKey.export({ ...pkcs8, cipher: 'aes-256-cbc', passphrase: 'x' }),
      'key-malformed',
    ],
    ['that is only the public half', generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }), 'key-malformed'],
    ['that is empty', '', 'key-malformed'],
  ])('%s is refused, and nothing of it is repeated', async (_, pem, code) => {
    const failure: unknown = await readWorkerKey(await keyFile(pem)).catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'Failure', code })
    expect(failure).not.toHaveProperty('cause')
  })

  it('is refused where others may read it, or where there is none', async () => {
    const file = await keyFile(generateKeyPairSync('ed25519').privateKey.export(pkcs8), 0o640)
    await expect(readWorkerKey(file)).rejects.toMatchObject({ code: 'key-not-private' })
    await expect(readWorkerKey(path.join(folder, 'absent'))).rejects.toMatchObject({ code: 'key-unreadable' })
  })

  it('shows its public half and no more, however it is printed', async () => {
    const key = await openWorkerKey(folder)
    const secret = (await readFile(path.join(folder, WORKER_KEY_NAME), 'utf8')).split('\n')[1] ?? ''
    expect(secret.length).toBeGreaterThan(40)
    expect(JSON.stringify(key) + inspect(key, { depth: 9, showHidden: true })).not.toContain(secret)
  })
})
