import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { AppCompose } from './app-compose.ts'
import type { DeployedImage } from './deploy-compose.ts'
import { deploymentOf } from './deployment.ts'

const image: DeployedImage = {
  service: 'simple-mkosi-app',
  image: `docker.io/user/simple-mkosi-app@sha256:${'ab'.repeat(32)}`,
  config: { cmd: ['/usr/bin/node', '/opt/app/server.js'], workingDir: '/opt/app', env: [], exposedPorts: ['3000/tcp'] },
}

describe('the files of a deployment', () => {
  it('are written as they were first found to work', () => {
    const { compose, appCompose, composeHash } = deploymentOf(image)
    expect(compose).toBe(`services:
  simple-mkosi-app:
    image: "docker.io/user/simple-mkosi-app@sha256:${'ab'.repeat(32)}"
    ports:
      - "3000:3000"
    restart: "no"
    working_dir: "/opt/app"
    command:
      - "/usr/bin/node"
      - "/opt/app/server.js"
`)
    expect(appCompose).toBe(
      `{"allowed_envs":[],"docker_compose_file":${JSON.stringify(compose)},"gateway_enabled":true,"kms_enabled":true,"local_key_provider_enabled":false,"manifest_version":2,"name":"simple-mkosi-app","no_instance_id":false,"public_logs":false,"public_sysinfo":false,"public_tcbinfo":true,"runner":"docker-compose","secure_time":true}`,
    )
    expect(composeHash).toBe(createHash('sha256').update(appCompose).digest('hex'))
  })

  it.each([
    [['/usr/bin/node', '/opt/app/server.js'], '6b7ce4498aeba727563b5479d4a60181fd866dbd8a107ffb90461a53aa2198ac'],
    [['é"\\\n$x 😀', 'b'], 'ea2f46b32a621ceaf7b1ed38d2fad025bef73fe6be25467ad2b0e1c5dcf9310c'],
  ])('have the compose hash that @phala/dstack-sdk 0.5.8 gave for the same object with command %j', (cmd, hash) => {
    expect(deploymentOf({ ...image, config: { ...image.config, cmd } }).composeHash).toBe(hash)
  })

  it('say nothing that the image config does not say', () => {
    const { compose } = deploymentOf({ ...image, config: { cmd: [], workingDir: null, env: [], exposedPorts: [] } })
    expect(parse(compose)).toEqual({ services: { 'simple-mkosi-app': { image: image.image, restart: 'no' } } })
  })

  it('name the protocol of a port where it is not tcp, and leave a name that stands twice to the image', () => {
    const config = { ...image.config, exposedPorts: ['53/udp', '53/tcp', '8080'], env: ['A=1', 'B=2', 'A=3'] }
    expect(parse(deploymentOf({ ...image, config }).compose)).toMatchObject({
      services: { 'simple-mkosi-app': { ports: ['53:53/udp', '53:53', '8080:8080'], environment: ['B=2'] } },
    })
  })

  it.each(['no', 'on', 'y', 'null', 'true', '123', '0123', '1_000', '0b1', '2024-01-01', '1e3', 'simple-mkosi-app'])(
    'call the service %s so in every YAML',
    (service) => {
      const { compose } = deploymentOf({ ...image, service })
      for (const version of ['1.1', '1.2'] as const) {
        const read = parse(compose, { version, mapAsMap: true }) as Map<string, Map<unknown, unknown>>
        expect([...(read.get('services')?.keys() ?? [])]).toEqual([service])
      }
    },
  )

  it.each(['half \ud83d', 'zero \0'])('are not written with %j', (text) => {
    expect(() => deploymentOf({ ...image, config: { ...image.config, cmd: [text] } })).toThrow(
      expect.objectContaining({ code: 'compose-text-unwritable' }),
    )
  })

  it.each([
    ['a variable that would come from outside', { env: ['PATH'] }],
    ['a variable without a name', { env: ['=x'] }],
    ['a port that is a variable', { exposedPorts: ['${PORT}'] }],
    ['an address', { exposedPorts: ['127.0.0.1:22'] }],
    ['a port that no machine has', { exposedPorts: ['65536'] }],
    ['the port that stands for any', { exposedPorts: ['0/udp'] }],
    ['a port that is octal to some', { exposedPorts: ['0080'] }],
    ['ports from one to another', { exposedPorts: ['1-65535/tcp'] }],
  ])('are not written with %s', (_, config) => {
    expect(() => deploymentOf({ ...image, config: { ...image.config, ...config } })).toThrow(
      expect.objectContaining({ code: 'compose-text-unwritable' }),
    )
  })

  it('are not written larger than dstack takes', () => {
    expect(() => deploymentOf({ ...image, config: { ...image.config, cmd: ['x'.repeat(210_000)] } })).toThrow(
      expect.objectContaining({ code: 'app-compose-too-large' }),
    )
  })
})

/** What was found to go wrong somewhere: quotes, escapes, line breaks of all kinds, YAML's and Compose's own signs, JSON's limits. */
const SIGNS = `" ' \\ \\" $ $$ \${HOME} $(id) \${A:-b} $1 : # - & * !!str % @ \` | > { } [ ] , ? = << --- ... ~ '' "" \\u0041 \\x41`.split(
  ' ',
)
const WORDS = ['no', 'yes', 'null', '22:22', '0x1f', '1e3', '012', ': ', ' #', '- ', '&a', '*a', ' ', '   ', '\t', '\n', '\r\n']
const LETTERS = ['\u00e9', '\u0085', '\u2028', '\u2029', '\ufeff', '\u00a0', '\u200e', '\u007f', '\u0001', '\u001b', '\u{1f600}', '\u65e5']
const awkward = fc.constantFrom(...SIGNS, ...WORDS, ...LETTERS)
const text = fc
  .array(fc.oneof(awkward, fc.string({ unit: 'binary', maxLength: 6 })), { maxLength: 8 })
  .map((parts) => parts.join('').replaceAll('\0', ''))

describe('any text of an image config', () => {
  const port = fc.tuple(fc.integer({ min: 1, max: 65535 }), fc.constantFrom('tcp', 'udp', 'sctp')).map((parts) => parts.join('/'))
  const config = fc.record({
    cmd: fc.array(text, { maxLength: 4 }),
    workingDir: fc.option(
      text.map((one) => `/${one}`),
      { nil: null },
    ),
    env: fc.array(text, { maxLength: 4 }).map((values) => values.map((value, index) => `NAME_${index}=${value}`)),
    exposedPorts: fc.array(port, { maxLength: 3 }),
  })

  it.each(['1.1', '1.2'] as const)('comes out of JSON and then YAML %s as it went in', (version) => {
    fc.assert(
      fc.property(config, (one) => {
        const { appCompose, compose } = deploymentOf({ ...image, config: one })
        const read = AppCompose.parse(JSON.parse(appCompose))
        expect(read.docker_compose_file).toBe(compose)
        expect(compose).toMatch(/^[\n\x20-\x7e]*$/)
        const { services } = parse(read.docker_compose_file, { version }) as { services: Record<string, Record<string, unknown>> }
        const service = interpolated(services['simple-mkosi-app']) as Record<string, unknown>
        expect({ cmd: service['command'] ?? [], workingDir: service['working_dir'] ?? null, env: service['environment'] ?? [] }).toEqual({
          cmd: one.cmd,
          workingDir: one.workingDir,
          env: one.env,
        })
        expect([service['image'], service['restart']]).toEqual([image.image, 'no'])
        const ports = (service['ports'] ?? []) as string[]
        expect(ports.map((mapping) => mapping.replace(/^\d+:/, '').replace(/^(\d+)$/, '$1/tcp'))).toEqual(one.exposedPorts)
      }),
      { numRuns: 300 },
    )
  })
})

/** Compose's interpolation where no variable is set: `$$` is `$`, and what is left of `$` would name a variable. */
function interpolated(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(interpolated)
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, interpolated(one)]))
  if (typeof value !== 'string') return value
  return value.replaceAll(/\$(\$|)/g, (_, second: string) => (second === '$' ? '$' : '<variable>'))
}
