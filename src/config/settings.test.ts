import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { readSettings, SETTINGS } from './settings.ts'

describe('readSettings', () => {
  it('has a default for everything', () => {
    expect(readSettings({ XDG_DATA_HOME: '/data' })).toEqual({
      home: '/data/bitwitness',
      deploymentsPerOwner: 100,
      dockerHost: null,
      mirrors: null,
      snapshotMirror: null,
      mkosi: '25.3',
      apparmor: 'bitwitness-builder',
      workspace: 'auto',
      limitTime: 1800,
      limitMemory: 6 * 2 ** 30,
      sources: [],
      dockerConfig: path.join(homedir(), '.docker'),
      registryCa: null,
      plainHttpRegistries: [],
      gateways: [{ domain: 'dstack-*.phala.network', connect: null }],
      limitCpus: 1,
      limitProcesses: 4096,
      limitDisk: 12 * 2 ** 30,
      limitOutput: 8 * 2 ** 30,
      limitLog: 16 * 2 ** 20,
      signer: 'key',
      keyFile: null,
      fulcioUrl: null,
      rekorUrl: null,
      rekorVersion: 1,
      tsaUrl: null,
      trustedRoot: null,
      identityToken: { kind: 'ci' },
      identityTokenBearer: null,
      builderId: null,
      operator: null,
      databaseUrl: null,
      databaseUrlFile: null,
      issuers: null,
      server: null,
      token: null,
      tokenFile: null,
      vmmToken: null,
      vmmTokenFile: null,
      phalaKey: null,
      phalaPrefix: new URL('https://cloud-api.phala.com/api/v1/'),
      listen: { host: '127.0.0.1', port: 8080 },
      publicUrl: null,
      trustedProxies: 0,
      grace: 30,
      lease: 60,
      spread: 600,
      heldPerWorker: 64,
      hold: 21_600,
      builders: [],
      policies: null,
      observeEvery: 3600,
      collateral: null,
      simulatedRoot: null,
      measurements: null,
      targets: null,
      minFree: 2 ** 31,
      logLevel: 'info',
      coordinator: null,
      uploadSize: 2 ** 32,
      uploadsPerDay: 1000,
      uploadBytesPerDay: 40 * 2 ** 30,
      uploadBytesHeld: 40 * 2 ** 30,
      openPerOwner: 200,
      writesPerMinute: 120,
      keepUploads: 24,
      keepArtifacts: 14,
      keepRecords: 90,
    })
  })

  it('shows as default what it takes as default, wherever the default is a value', () => {
    const plain = Object.values(SETTINGS).filter(({ otherwise }) => otherwise !== 'none' && /^[A-Za-z0-9.-]+$/.test(otherwise))
    const taken = plain.map((setting) => (setting.read as (text: string) => unknown)(setting.otherwise))
    expect(taken).toEqual(plain.map((setting) => setting.fallback({})))
    expect(plain.length).toBeGreaterThan(5)
  })

  it('reads every setting', () => {
    const settings = readSettings({
      BITWITNESS_HOME: '/srv/bitwitness/',
      DOCKER_HOST: 'ssh://builder@engine.example',
      BITWITNESS_MIRRORS:
        'debian=http://one.example/debian  debian=https://two.example/debian/ debian-security=http://one.example/security',
      BITWITNESS_SNAPSHOT_MIRROR: 'https://dated.example/archive',
      BITWITNESS_WORKSPACE: 'volume',
      BITWITNESS_MKOSI: '27.1',
      BITWITNESS_LIMIT_TIME: '2h',
      BITWITNESS_LEASE: '10',
      BITWITNESS_SPREAD: '1h',
      BITWITNESS_HELD_PER_WORKER: '4',
      BITWITNESS_HOLD: '10m',
      BITWITNESS_BUILDERS: `sha256:${'a'.repeat(64)} ${'b'.repeat(64)},${'a'.repeat(64)}`,
      BITWITNESS_LIMIT_MEMORY: '512M',
      BITWITNESS_LIMIT_CPUS: '8',
      DOCKER_CONFIG: 'here/docker',
      BITWITNESS_REGISTRY_CA: '/etc/ca.pem',
      BITWITNESS_REGISTRY_PLAIN_HTTP: 'registry.lan:5000  [fd00::1]:5000',
    })
    expect(settings).toMatchObject({
      home: '/srv/bitwitness',
      dockerHost: 'ssh://builder@engine.example',
      workspace: 'volume',
      mkosi: '27.1',
      limitTime: 7200,
      lease: 10,
      spread: 3600,
      heldPerWorker: 4,
      hold: 600,
      builders: ['a'.repeat(64), 'b'.repeat(64)],
      limitMemory: 2 ** 29,
      limitCpus: 8,
      dockerConfig: path.resolve('here/docker'),
      registryCa: '/etc/ca.pem',
      plainHttpRegistries: ['registry.lan:5000', '[fd00::1]:5000'],
    })
    expect([...(settings.mirrors ?? [])].map(([archive, urls]) => [archive, urls.map(String)])).toEqual([
      ['debian', ['http://one.example/debian/', 'https://two.example/debian/']],
      ['debian-security', ['http://one.example/security/']],
    ])
    expect(String(settings.snapshotMirror)).toBe('https://dated.example/archive/')
  })

  it.each(['postgres://bitwitness:s3cret@db.example:5433/bitwitness', 'postgresql:///bitwitness?host=/run/postgresql'])(
    'shows the database %s to nobody but who asks for it',
    (url) => {
      const settings = readSettings({ DATABASE_URL: url })
      expect(settings.databaseUrl?.reveal()).toBe(url)
      expect(`${JSON.stringify(settings)} ${inspect(settings)} ${String(settings.databaseUrl)}`).not.toContain(url)
    },
  )

  it.each([
    ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['witness.lan:65535', { host: 'witness.lan', port: 65_535 }],
  ])('listens on %s', (text, listen) => {
    expect(readSettings({ BITWITNESS_LISTEN: text }).listen).toEqual(listen)
  })

  it.each(['8080', ':8080', '::1:8080', 'a:65536', 'a:', 'a/b:1', '[a b]:1', 'http://a:1', 'a:1 '])('does not listen on %j', (text) => {
    expect(() => readSettings({ BITWITNESS_LISTEN: text })).toThrow(expect.objectContaining({ code: 'setting-invalid' }))
  })

  it('takes exactly the versions of mkosi that a builder is defined for', () => {
    const file = path.join(import.meta.dirname, '../../mkosi/builder/profiles.json')
    const { default: standard, profiles } = JSON.parse(readFileSync(file, 'utf8')) as { default: string; profiles: object }
    expect(readSettings({}).mkosi).toBe(standard)
    const versions = Object.keys(profiles)
    expect(versions.map((version) => readSettings({ BITWITNESS_MKOSI: version }).mkosi)).toEqual(versions)
    expect(SETTINGS.mkosi.form).toBe(versions.map((version) => `\`${version}\``).join(' or '))
  })

  it('takes an empty variable as not set, and an XDG_DATA_HOME that is not absolute as none', () => {
    expect(readSettings({ BITWITNESS_LIMIT_CPUS: '' }).limitCpus).toBe(1)
    expect(readSettings({ XDG_DATA_HOME: 'data' }).home).toMatch(/^\/.*\.local\/share\/bitwitness$/)
  })

  it.each([
    ['BITWITNESS_HOME', 'relative/path'],
    ['BITWITNESS_LIMIT_MEMORY', '4 GB'],
    ['BITWITNESS_LIMIT_MEMORY', '0'],
    ['BITWITNESS_LIMIT_MEMORY', '-1'],
    ['BITWITNESS_LIMIT_MEMORY', '9999999999T'],
    ['BITWITNESS_LIMIT_TIME', '1d'],
    ['BITWITNESS_LEASE', '9s'],
    ['BITWITNESS_LEASE', '61m'],
    ['BITWITNESS_LIMIT_CPUS', '1.5'],
    ['BITWITNESS_LIMIT_CPUS', '4096'],
    ['BITWITNESS_WORKSPACE', 'TMPFS'],
    ['BITWITNESS_MKOSI', '26'],
    ['BITWITNESS_APPARMOR_PROFILE', 'unconfined --privileged'],
    ['DOCKER_HOST', 'fd://'],
    ['BITWITNESS_MIRRORS', 'debian'],
    ['BITWITNESS_MIRRORS', 'debian=ftp://one.example/debian'],
    ['BITWITNESS_MIRRORS', 'debian=http://user:secret@one.example/debian'],
    ['BITWITNESS_MIRRORS', 'De bian=http://one.example/'],
    ['BITWITNESS_MIRRORS', '   '],
    ['BITWITNESS_SNAPSHOT_MIRROR', 'https://dated.example/?q=1'],
    ['BITWITNESS_SIGNER', 'keyless'],
    ['BITWITNESS_KEY_FILE', 'key.pem'],
    ['BITWITNESS_FULCIO_URL', 'fulcio.example'],
    ['BITWITNESS_REKOR_URL', 'https://user:secret@rekor.example'],
    ['BITWITNESS_REKOR_VERSION', '3'],
    ['BITWITNESS_TSA_URL', 'ftp://tsa.example'],
    ['BITWITNESS_IDENTITY_TOKEN', 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln'],
    ['BITWITNESS_IDENTITY_TOKEN', 'http://issuer.example/token'],
    ['BITWITNESS_IDENTITY_TOKEN', 'http://localhost.example/token'],
    ['BITWITNESS_BUILDER_ID', 'builder'],
    ['BITWITNESS_BUILDER_ID', 'https://witness.example/'],
    ['BITWITNESS_BUILDER_ID', 'https://witness.example/a b'],
    ['BITWITNESS_BUILDER_ID', `bitwitness:builder/key/${'5'.repeat(64)}`],
    ['BITWITNESS_REGISTRY_CA', 'ca.pem'],
    ['BITWITNESS_REGISTRY_PLAIN_HTTP', 'http://registry.lan'],
    ['BITWITNESS_REGISTRY_PLAIN_HTTP', 'Registry.LAN'],
    ['BITWITNESS_ISSUERS', 'issuers.yaml'],
    ['DATABASE_URL', 'mysql://bitwitness:secret@db.example/bitwitness'],
    ['DATABASE_URL', 'postgres://bitwitness:secret@db.example:port/bitwitness'],
    ['DATABASE_URL', 'postgres://bitwitness:sec ret@db.example/bitwitness'],
  ])('refuses %s=%s and does not repeat the value', (variable, value) => {
    const reading = (): unknown => readSettings({ [variable]: value })
    expect(reading).toThrow(expect.objectContaining({ code: 'setting-invalid', message: `${variable} has a value that cannot be` }))
  })

  it('refuses a variable with our prefix that means nothing, so that a slip is seen', () => {
    expect(() => readSettings({ BITWITNESS_LIMIT_MEMROY: '4G' })).toThrow(expect.objectContaining({ code: 'setting-unknown' }))
    expect(readSettings({ BITWITNESS_YES: '1', BITWITNESS_TEST_HOME: '/x', OTHER: 'x' }).limitCpus).toBe(1)
  })
})
