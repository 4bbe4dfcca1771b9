import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { encodeStatement, keySigner } from '../../attestations/index.ts'
import { AuthSimple } from '../app/gate/auth-simple.ts'
import { Decision } from '../app/gate/decision.ts'
import { PolicyCheck } from '../app/gate/load-policy.ts'
import { APP_COMPOSE, APP_ID, COMPOSE_HASH, digest, MANIFEST, NAME, POLICY, PREDICATE, STATEMENT } from '../app/gate/testing/passing.ts'
import { ran } from './testing/terminal.ts'

const root = path.join(import.meta.dirname, '../..')
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signer = keySigner({ privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() })
const key = publicKey.export({ type: 'spki', format: 'pem' }).toString()
// The golden rebuild is of one day, and the gate asks today.
const policy = { ...POLICY, signers: [{ key }], attestations: { ...POLICY.attestations, maxAge: 36_500 } }

let folder: string
const put = async (name: string, content: string): Promise<string> => {
  const file = path.join(folder, name)
  await writeFile(file, content)
  return file
}
const signed = async (name: string, change: object = {}): Promise<string> => {
  const statement = encodeStatement({ ...STATEMENT, predicate: { ...PREDICATE, ...change } })
  return await put(name, await signer.sign(statement, { signal: new AbortController().signal, owner: null }))
}
const decided = async (...args: readonly string[]) => {
  const { exit, stdout, stderr } = await ran(['gate', '--json', ...args])
  if (stderr !== '') throw new Error(stderr)
  const { decision, rules } = Decision.parse(JSON.parse(stdout))
  return { exit, decision, failed: rules.flatMap(({ rule, result }) => (result === 'fail' ? [rule] : [])) }
}

let production: string
let bundle: string
let appCompose: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-gate-'))
  production = await put('policy.yaml', stringify(policy))
  bundle = await signed('bundle.json')
  appCompose = await put('app-compose.json', APP_COMPOSE)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('gate', () => {
  const app = (): string[] => ['--app-compose', appCompose, '--app-id', APP_ID]

  it('allows an image, and an app, by a signature that it verifies', async () => {
    expect(await decided('--policy', production, '--bundle', bundle, `${NAME}@sha256:${MANIFEST}`)).toEqual({
      exit: 0,
      decision: 'allow',
      failed: [],
    })
    expect(await decided('--policy', production, '--bundle', bundle, ...app())).toEqual({ exit: 0, decision: 'allow', failed: [] })
  })

  it('denies one byte more in anything that it is asked about', async () => {
    const other = await put('other.json', `${APP_COMPOSE} `)
    expect(await decided('--policy', production, '--bundle', bundle, '--app-compose', other, '--app-id', APP_ID)).toEqual({
      exit: 1,
      decision: 'deny',
      failed: ['compose-admitted'],
    })
    expect(await decided('--policy', production, '--bundle', bundle, `${NAME}@sha256:${digest('1')}`)).toMatchObject({
      failed: ['attested'],
    })
    expect(
      await decided('--policy', production, '--bundle', bundle, '--app-compose', appCompose, '--app-id', `0x${'CD'.repeat(20)}`),
    ).toMatchObject({ failed: ['app-listed'] })
    const strangers = await signed('stranger.json', { owner: 'https://git.example/mallory' })
    expect(await decided('--policy', production, '--bundle', strangers, ...app())).toMatchObject({ failed: ['owner-admitted'] })
    const text = JSON.stringify(
      JSON.parse(await signer.sign(encodeStatement(STATEMENT), { signal: new AbortController().signal, owner: null })),
    )
    const broken = await put(
      'broken.json',
      text.replace(/"sig":"(.)/, (_, first: string) => `"sig":"${first === 'M' ? 'N' : 'M'}`),
    )
    expect(await decided('--policy', production, '--bundle', broken, ...app())).toMatchObject({ failed: ['attested'] })
  })

  it('asks about a guest as well, by what its KMS or its gateway says', async () => {
    const info = {
      mrAggregated: digest('1'),
      osImageHash: `0x${digest('d')}`,
      mrSystem: digest('2'),
      appId: APP_ID,
      composeHash: COMPOSE_HASH,
      instanceId: '',
      deviceId: digest('3'),
      tcbStatus: 'UpToDate',
      advisoryIds: [],
    }
    const asked = async (name: string, value: object) =>
      await decided(
        '--policy',
        production,
        '--bundle',
        bundle,
        '--app-compose',
        appCompose,
        '--boot-info',
        await put(name, JSON.stringify(value)),
      )
    expect(await asked('kms.json', info)).toEqual({ exit: 0, decision: 'allow', failed: [] })
    expect(await asked('old.json', { ...info, tcbStatus: 'OutOfDate' })).toMatchObject({ failed: ['tcb'] })
    expect(await asked('dev.json', { ...info, osImageHash: digest('1') })).toMatchObject({ failed: ['os-image'] })
    expect(await asked('other-app.json', { ...info, appId: 'ef'.repeat(20) })).toMatchObject({ failed: ['app-listed'] })
    expect(await asked('other-compose.json', { ...info, composeHash: digest('1') })).toMatchObject({
      failed: ['compose-admitted', 'compose-known'],
    })
    const short = await put('short.json', JSON.stringify({ ...info, composeHash: COMPOSE_HASH.slice(0, 62) }))
    const { exit, stderr } = await ran(['gate', '--policy', production, ...app(), '--boot-info', short])
    expect([exit, stderr]).toEqual([3, expect.stringMatching(/another form: composeHash[^,].*\(boot-info-malformed\)/s)])
  })

  it('asks another signer than the one that the policy names for nothing', async () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' })
    const file = await put('other.yaml', stringify({ ...policy, signers: [{ key: other }] }))
    expect(await decided('--policy', file, '--bundle', bundle, ...app())).toMatchObject({ decision: 'deny', failed: ['attested'] })
    const both = await put('both.yaml', stringify({ ...policy, signers: [{ key: other }, { key }] }))
    expect(await decided('--policy', both, '--bundle', bundle, ...app())).toMatchObject({ decision: 'allow' })
  })

  it('says every rule to people, and loudly where it only observes', async () => {
    const observing = await put('observe.yaml', stringify({ ...policy, mode: 'observe' }))
    const none = await put('none.json', '[]')
    const { exit, stdout } = await ran(['gate', '--policy', observing, '--bundle', none, ...app()])
    expect(exit).toBe(0)
    expect(stdout).toContain('OBSERVED ONLY: the policy does not enforce; enforced, this would be deny')
    expect(stdout).toMatch(/fail {2}attested {2}service app: an attestation does not hold/)
  })

  it('decides nothing by a policy that it cannot follow, or about nothing', async () => {
    const broken = await put('broken.yaml', `${stringify(policy)}allowAll: true\n`)
    for (const [args, code] of [
      [['--policy', broken, ...app()], 'policy-invalid'],
      [['--policy', path.join(folder, 'absent'), ...app()], 'policy-unread'],
      [['--policy', production], 'gate-subject'],
      [['--policy', production, ...app(), `${NAME}@sha256:${MANIFEST}`], 'gate-subject'],
      [['--policy', production, '--app-id', APP_ID, `${NAME}@sha256:${MANIFEST}`], 'gate-subject'],
    ] as const) {
      const { exit, stderr, stdout } = await ran(['gate', ...args])
      expect([exit === 0, stdout]).toEqual([false, ''])
      expect(stderr).toContain(`(${code})`)
    }
    expect((await ran(['gate', '--policy', production, '--app-compose', appCompose, '--app-id', 'ab'])).exit).toBe(2)
  })
})

describe('policy', () => {
  it('is checked, with the line of what is wrong', async () => {
    const good = await ran(['policy', 'check', '--json', production])
    expect([good.exit, PolicyCheck.parse(JSON.parse(good.stdout))]).toEqual([
      0,
      expect.objectContaining({ verdict: 'valid', name: 'production', problems: [] }),
    ])
    const bad = await ran(['policy', 'check', await put('bad.yaml', `${stringify(policy)}mode: observe\n`)])
    expect(bad.exit).toBe(1)
    expect(bad.stdout).toMatch(/line \d+: a key stands twice in it/)
    const typos = await put(
      'typos.yaml',
      stringify({ ...policy, mode: 'enforced', signers: [], kms: undefined, mod: 1, builders: undefined }),
    )
    const { stdout } = await ran(['policy', 'check', typos])
    for (const said of [
      'mode has to be one of `enforce`, `observe`',
      'signers is an empty list, and has to be a list of at least 1',
      'builders is missing, and has to be a list',
      'the document has a key that is not known: "mod"',
      'docs/policy.md',
    ])
      expect(stdout).toContain(said)
    expect((await ran(['policy', 'check', await put('empty.yaml', '')])).stdout).toMatch(/^invalid\n.*\n {2}nothing stands in it\n/)
  })

  it('is explained in sentences', async () => {
    const { exit, stdout } = await ran(['policy', 'explain', production])
    expect(exit).toBe(0)
    expect(stdout).toContain(
      `${NAME} has to be rebuilt from https://git.example/app/image.git, folder images/app, from a commit on refs/heads/main or refs/tags/v*`,
    )
    expect(stdout).toContain('a key that it holds (with 0 entries in transparency logs and 0 times of others at least)')
    expect(stdout).toContain('A webhook finds all of it out anew for each question.')
    const certificate = { issuer: 'https://issuer.example', name: 'https://rebuild.example/**', times: 2 }
    const other = {
      ...policy,
      signers: [certificate],
      sources: { app: { ...policy.sources['app'], owners: ['**'] } },
      attestations: { ...policy.attestations, cacheSeconds: 60 },
    }
    const said = await ran(['policy', 'explain', await put('explained.yaml', stringify(other))])
    for (const text of [
      'for anybody who is named.',
      '(with 1 entry in transparency logs and 2 times of others',
      'keep what it found out for 60 seconds',
    ])
      expect(said.stdout).toContain(text)
    expect(stdout).toContain('It enforces: whatever is not said below is denied.')
    expect(stdout).toContain('Findings of the compose linter that deny: deny, warn.\n')
  })

  it('is exported as what it allows now, with what is left out on stderr', async () => {
    const said = await ran(['policy', 'export', production, '--format', 'auth-simple', '--app-compose', appCompose, '--bundle', bundle])
    expect([said.exit, AuthSimple.parse(JSON.parse(said.stdout)).apps]).toEqual([
      0,
      { [`0x${APP_ID}`]: { composeHashes: [`0x${COMPOSE_HASH}`], devices: [], allowAnyDevice: true } },
    ])
    expect(said.stderr).toBe('left out: no KMS: the policy names none\n')
    const strangers = await signed('other-stranger.json', { owner: 'https://git.example/mallory' })
    const without = await ran(['policy', 'export', production, '--app-compose', appCompose, '--app-id', APP_ID, '--bundle', strangers])
    expect(AuthSimple.parse(JSON.parse(without.stdout)).apps).toEqual({})
    expect(without.stderr).toMatch(/left out: app (ab){20}, compose hash [0-9a-f]{64}: owner-admitted/)
    const bundled = ['--bundle', bundle]
    const nothing = await ran(['policy', 'export', production, ...bundled])
    expect([nothing.exit, AuthSimple.parse(JSON.parse(nothing.stdout)).apps]).toEqual([0, {}])
    expect(nothing.stderr).toContain(`left out: app ${APP_ID}, compose hash ${COMPOSE_HASH}: its app-compose was not given`)
    expect((await ran(['policy', 'export', production, '--app-id', 'cd'.repeat(20), ...bundled])).stderr).not.toContain(APP_ID)
    const bare = await put('bare.yaml', stringify({ ...policy, osImages: {} }))
    const refused = await ran(['policy', 'export', bare])
    expect([refused.exit === 0, refused.stdout]).toEqual([false, ''])
    expect(refused.stderr).toContain('(export-no-guest)')
  })

  it.each(['starter', 'strict'])('has an example that is one: %s', async (name) => {
    const { exit, stdout } = await ran(['policy', 'check', path.join(root, 'deploy', 'policies', `${name}.yaml`)])
    expect([exit, stdout.split('\n')[0]]).toEqual([0, 'valid'])
  })
})
