import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { SETTINGS } from '../src/config/settings.ts'
import { ServiceMetrics } from '../src/metrics/service-metrics.ts'
import { root } from './repository.ts'

const read = (name: string): string => readFileSync(path.join(root, name), 'utf8')

type Service = {
  readonly image: string
  readonly profiles?: readonly string[]
  readonly privileged?: boolean
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly cap_add?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly network_mode?: string
  readonly pid?: string
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly secrets?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean }
}
type Stack = {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
}

const stack = parse(read('docker-compose.yml'), { merge: true }) as Stack
const services = Object.entries(stack.services)

/** What keeps a service from being one that docker-compose.yml may have. */
function objections(name: string, one: Service): string[] {
  const all = JSON.stringify(one)
  const watched = services.find(([, other]) => other.healthcheck?.test?.join(' ').includes(`http://${name}:`) === true)?.[0]
  return [
    one.privileged === undefined ? '' : 'may be privileged',
    one.read_only === true ? '' : 'writes to its root',
    JSON.stringify(one.cap_drop) === '["ALL"]' && one.cap_add === undefined ? '' : 'keeps capabilities',
    one.security_opt?.includes('no-new-privileges:true') === true ? '' : 'may gain privileges',
    one.network_mode === undefined && one.pid === undefined ? '' : 'shares what belongs to the host',
    /docker\.sock|\/var\/run\/docker|DOCKER_HOST/.test(all) ? 'gets at an engine' : '',
    one.healthcheck?.test !== undefined || (one.healthcheck?.disable === true && watched !== undefined) ? '' : 'is looked at by nobody',
    /:[\w.-]*\d[\w.-]*$|@sha256:[0-9a-f]{64}$/.test(one.image.replace(/^\$\{\w+:-(.*)\}$/, '$1')) && !/latest/.test(one.image) ? '' : 'has an image of no version',
    (one.ports ?? []).every((port) => /^\$\{\w+:-127\.0\.0\.1:\d+\}:\d+$/.test(port)) ? '' : 'listens to everybody',
    Object.keys(one.environment ?? {}).some((variable) => /(PASSWORD|SECRET|TOKEN|KEY|DATABASE_URL)$/.test(variable)) ? 'has a secret in its environment' : '',
    (one.volumes ?? []).every((volume) => Object.keys(stack.volumes).includes(volume.split(':')[0] ?? '') || (volume.startsWith('./deploy/') && volume.endsWith(':ro'))) ? '' : 'mounts what is no volume of its own',
  ].filter((text) => text !== '') // biome-ignore format: one a line
}

describe('docker-compose.yml', () => {
  it.each(services)('%s is confined, watched, and listens to this machine alone', (name, service) => {
    expect(objections(name, service)).toEqual([])
  })

  it('would be found out if it were not', () => {
    const [, good] = services[0] ?? []
    if (good === undefined) throw new Error('there is a service')
    const worse: Partial<Service>[] = [
      { privileged: true },
      { read_only: false },
      { cap_add: ['SYS_ADMIN'] },
      { security_opt: [] },
      { network_mode: 'host' },
      { volumes: ['/var/run/docker.sock:/var/run/docker.sock'] },
      { healthcheck: { disable: true } },
      { image: 'postgres:latest' },
      { image: 'postgres' },
      { ports: ['8080:8080'] },
      { environment: { POSTGRES_PASSWORD: 'x' } },
      { volumes: ['/etc:/etc:ro'] },
    ]
    for (const change of worse) expect(objections('coordinator', { ...good, ...change }), JSON.stringify(change)).not.toEqual([])
  })

  it('names secrets that are files in folders of their own, and volumes that are there', () => {
    expect(Object.values(stack.secrets).filter(({ file }) => !/^\.\/deploy\/(secrets|sigstore\/private)\//.test(file))).toEqual([])
    const used = services.flatMap(([, { secrets = [] }]) => secrets)
    expect(used.toSorted()).toEqual(Object.keys(stack.secrets).toSorted())
    expect(read('.gitignore')).toMatch(/^deploy\/secrets\/$/m)
    expect(read('.gitignore')).toMatch(/^deploy\/sigstore\/private\/$/m)
  })

  it('has all of a private Sigstore in one profile, and nothing else', () => {
    expect(services.filter(([, { profiles }]) => profiles?.includes('sigstore') === true).map(([name]) => name)).toEqual([
      'fulcio',
      'certificate-log',
      'rekor',
      'timestamps',
      'sigstore-health',
    ])
  })
})

describe('examples of settings', () => {
  const known: readonly string[] = Object.values(SETTINGS).map(({ variable }) => variable)
  it.each(['deploy/coordinator.env.example', 'deploy/systemd/serve.env.example', 'deploy/systemd/worker.env.example'])(
    '%s sets what is a setting',
    (file) => {
      const variables = [...read(file).matchAll(/^#? ?([A-Z_]+)=\S/gm)].map((match) => match[1] ?? '')
      expect(variables.length).toBeGreaterThan(0)
      expect(variables.filter((variable) => !known.includes(variable))).toEqual([])
    },
  )

  it('the page of operations names what is a setting', () => {
    const named = [...read('docs/operations.md').matchAll(/`(BITWITNESS_[A-Z_]+|DATABASE_[A-Z_]+)`/g)].map((match) => match[1] ?? '')
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter((variable) => !known.includes(variable))).toEqual([])
  })

  it('docker-compose.yml and the units set what is a setting', () => {
    const coordinator = Object.keys(stack.services['coordinator']?.environment ?? {})
    const units = ['serve', 'worker'].flatMap((name) => [
      ...read(`deploy/systemd/bitwitness-${name}.service`).matchAll(/^Environment=(\w+)=/gm),
    ])
    const variables = [...coordinator, ...units.map((match) => match[1] ?? '')].filter((variable) => variable !== 'NODE_ENV')
    expect(variables.filter((variable) => !known.includes(variable))).toEqual([])
  })
})

describe('units of systemd', () => {
  it.each(['serve', 'worker'])('%s may see what it needs', (name) => {
    const unit = read(`deploy/systemd/bitwitness-${name}.service`)
    // The first would end Node.js, the second have two processes take each other for gone.
    expect(unit).not.toMatch(/^(MemoryDenyWriteExecute=yes|ProcSubset=pid)$/m)
  })

  it('are units, and expose little', async ({ skip }) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-units-'))
    try {
      const units = ['serve', 'worker'].map((name) => path.join(folder, `bitwitness-${name}.service`))
      // The program need not be installed where this is tested.
      for (const unit of units)
        await writeFile(
          unit,
          read(`deploy/systemd/${path.basename(unit)}`).replace(/^ExecStart=\/usr\/bin\/bitwitness/m, 'ExecStart=/bin/true'),
        )
      const verified = await execa('systemd-analyze', ['verify', '--man=no', ...units], { reject: false, all: true })
      if (verified.code === 'ENOENT') return skip('systemd-analyze is not here')
      expect([verified.all, verified.exitCode]).toEqual(['', 0])
      // Of ten: below two and a half is what systemd itself calls OK.
      const security = await execa('systemd-analyze', ['security', '--offline=true', '--threshold=25', '--no-pager', ...units], {
        reject: false,
      })
      expect(security.exitCode, security.stdout).toBe(0)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('prometheus-rules.yml', () => {
  it('asks for metrics that there are', async () => {
    const metrics = await new ServiceMetrics({ figures: () => Promise.resolve(null), now: () => new Date(), process: false }).text()
    const asked = [...read('deploy/prometheus-rules.yml').matchAll(/\bbitwitness_[a-z_]+/g)].map(([name]) => name)
    expect(asked.length).toBeGreaterThan(8)
    expect(asked.filter((name) => !metrics.includes(`# TYPE ${name} `))).toEqual([])
  })
})
