import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parseTrustedRoot } from '../attestations/verify/trusted-root.ts'

const script = path.join(import.meta.dirname, 'make-sigstore.ts')
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-sigstore-'))
})
afterEach(() => rm(folder, { recursive: true }))

const make = (...args: string[]) => execa(process.execPath, [script, ...args], { reject: false })
const at = (...names: string[]): string => path.join(folder, ...names)
const text = (...names: string[]): Promise<string> => readFile(at(...names), 'utf8')

describe('make-sigstore', () => {
  it('makes chains that hold, a root that is trusted, and keys that only their servers get at', async () => {
    const made = await make('https://issuer.example', 'sigstore', folder)
    expect([made.exitCode, made.stderr]).toEqual([0, ''])
    expect((await readdir(at('private'))).toSorted()).toEqual([
      'ct.key',
      'fulcio-settings.yaml',
      'fulcio.key',
      'rekor.key',
      'timestamp.key',
    ])
    expect((await stat(at('private'))).mode & 0o777).toBe(0o700)
    for (const name of ['fulcio', 'timestamp']) {
      const chain = at('public', `${name}-chain.pem`)
      const root = (await text('public', `${name}-chain.pem`)).split(/(?<=-----END CERTIFICATE-----\n)/)[1] ?? ''
      await writeFile(at('root.pem'), root)
      const checked = await execa('openssl', ['verify', '-CAfile', at('root.pem'), chain], { reject: false })
      expect(checked.stdout, checked.stderr).toBe(`${chain}: OK`)
    }
    expect(parseTrustedRoot(await readFile(at('public', 'trusted_root.json')))).toMatchObject({})
    expect(parse(await text('public', 'fulcio-issuers.yaml'))).toEqual({
      'oidc-issuers': { 'https://issuer.example': { 'issuer-url': 'https://issuer.example', 'client-id': 'sigstore', type: 'email' } },
    })
  })

  it('opens the key of Fulcio with the password of its settings, and of no other run', async () => {
    await make('https://issuer.example', 'sigstore', folder)
    const settings = parse(await text('private', 'fulcio-settings.yaml')) as Record<string, string>
    const open = (password: string) =>
      execa('openssl', ['pkey', '-in', at('private', 'fulcio.key'), '-passin', 'stdin', '-noout'], { input: password, reject: false })
    expect((await open(settings['fileca-key-passwd'] ?? '')).exitCode).toBe(0)
    expect((await open('another')).exitCode).not.toBe(0)
  })

  it('changes nothing where there is an instance already', async () => {
    await make('https://issuer.example', 'sigstore', folder)
    const before = await text('private', 'rekor.key')
    const again = await make('https://other.example', 'sigstore', folder)
    expect([again.exitCode, again.stderr]).toEqual([1, `make-sigstore: ${at('private')} is there already; nothing was changed`])
    expect(await text('private', 'rekor.key')).toBe(before)
  })

  it.each([[[]], [['issuer.example', 'x']], [['https://a b', 'x']], [['https://issuer.example']]])('refuses %j', async (args) => {
    expect((await make(...args, ...(args.length === 2 ? [folder] : []))).exitCode).toBe(2)
    expect(await readdir(folder)).toEqual([])
  })
})
