import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { stringify } from 'yaml'
import { encodeStatement, keySigner } from '../attestations/index.ts'
import { Decision } from '../src/app/gate/decision.ts'
import { APP_COMPOSE, BOOT, POLICY, PREDICATE, STATEMENT } from '../src/app/gate/testing/passing.ts'
import { root } from './repository.ts'

/** Tells every module that is loaded, on standard error. */
const LOADED = `import { registerHooks } from 'node:module'
registerHooks({ load(url, context, next) { process._rawDebug(url); return next(url, context) } })
`
/** What a gate without a service is made of. */
const FOLDERS = [
  'src/app/gate',
  'src/app/compose',
  'attestations/statement',
  'attestations/verify',
  'verifier/model',
  'verifier/bytes',
  'verifier/recipe',
]
const PACKAGES = ['zod', 'yaml', '@sigstore']

it('decides without a service: no database, no queue, no server and no engine is loaded, from a policy, a bundle and what a KMS says', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-gate-'))
  try {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const signer = keySigner({ privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() })
    const statement = encodeStatement({ ...STATEMENT, predicate: { ...PREDICATE, finishedAt: new Date().toISOString() } })
    const signers = [{ key: publicKey.export({ type: 'spki', format: 'pem' }).toString() }]
    const indexes = { ...POLICY.indexes, maxAge: 36_500 }
    const files = {
      policy: stringify({ ...POLICY, signers, indexes }),
      compose: APP_COMPOSE,
      bundle: await signer.sign(statement, { signal: new AbortController().signal, owner: null }),
      boot: JSON.stringify(BOOT),
      'loaded.mjs': LOADED,
    }
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text)
    const asked = async (boot: string): Promise<{ decision: Decision; loaded: readonly string[] }> => {
      await writeFile(path.join(folder, 'boot'), boot)
      const named = ['policy', 'compose', 'bundle', 'boot'].map((name) => path.join(folder, name))
      const args = ['--import', path.join(folder, 'loaded.mjs'), path.join(root, 'test/gate-alone.ts'), ...named]
      const { stdout, stderr } = await execa(process.execPath, args, { env: { DATABASE_URL: 'postgres://nobody.invalid/none' } })
      return { decision: Decision.parse(JSON.parse(stdout)), loaded: stderr.split('\n').filter((line) => line.startsWith('file:')) }
    }
    const { decision, loaded } = await asked(JSON.stringify(BOOT))
    expect(decision.judged).toBe('allow')
    expect((await asked(JSON.stringify({ ...BOOT, osImageHash: 'e'.repeat(64) }))).decision.judged).toBe('deny')
    const names = loaded.map((url) => path.relative(root, new URL(url).pathname))
    const own = names.filter((name) => !name.includes('node_modules') && name !== 'test/gate-alone.ts')
    const packages = names.flatMap((name) => /.*node_modules\/(@?[^/]+)/.exec(name)?.[1] ?? [])
    expect(own.filter((name) => !FOLDERS.includes(path.dirname(name).replace(/\/rules$/, '')))).toEqual([])
    expect([...new Set(packages)].filter((name) => !PACKAGES.includes(name))).toEqual([])
    expect([own.length > 30, packages.length > 0]).toEqual([true, true])
  } finally {
    await rm(folder, { recursive: true })
  }
})
