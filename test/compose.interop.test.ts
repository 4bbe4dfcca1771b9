import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { deploymentOf } from '../src/dstack/deployment.ts'

const fetched = path.join(import.meta.dirname, '..', '.tools', 'verifiers', 'bin', 'docker-compose')
const compose = process.env['DOCKER_COMPOSE'] ?? fetched
const image = `docker.io/user/app@sha256:${'ab'.repeat(32)}`

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-compose-'))
})
afterAll(() => rm(folder, { recursive: true }))

type Service = {
  readonly image: string
  readonly restart: string
  readonly command: readonly string[] | null
  readonly working_dir?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly { readonly target: number; readonly published: string; readonly protocol: string }[]
}

/** What Compose itself makes of the file. It shows every `$` doubled, as it would have to be written again. */
async function configured(config: Parameters<typeof deploymentOf>[0]['config']): Promise<Service> {
  const file = path.join(folder, 'docker-compose-deploy.yml')
  await writeFile(file, deploymentOf({ service: 'app', image, config }).compose)
  const { stdout } = await execa(compose, ['-f', file, 'config', '--format', 'json'], { env: { HOME: folder, A: 'taken from outside' } })
  const once = (_: string, value: unknown): unknown => (typeof value === 'string' ? value.replaceAll('$$', '$') : value)
  return (JSON.parse(stdout, once) as { services: { app: Service } }).services.app
}

it('Docker Compose reads out of the file what the image config says, whatever it is', async ({ skip }) => {
  if (!existsSync(compose)) return skip('docker-compose is not here: make interop fetches it')
  const texts = [
    `quotes " ' and \\ backslashes \\" \\\\`,
    'a line\nand another\r\nand\ttabs',
    'variables $A ${A} ${A:-b} $$A $(id) `id` $',
    'yaml: - # & * ! | > % @ { } [ ] , ? no 22:22',
    'letters \u00e9 \u65e5\u672c \u{1f600} \u0085 \u2028 \u2029 \ufeff \u00a0 \u200e \u007f \u0001',
    ' leading and trailing ',
    '',
  ]
  const service = await configured({
    cmd: texts,
    workingDir: `/work ${texts[2]}`,
    env: texts.map((text, index) => `NAME_${index}=${text}`),
    exposedPorts: ['3000/tcp', '53/udp'],
  })
  expect(service).toMatchObject({
    image,
    restart: 'no',
    command: texts,
    working_dir: `/work ${texts[2]}`,
    environment: Object.fromEntries(texts.map((text, index) => [`NAME_${index}`, text])),
    ports: [
      { target: 3000, published: '3000', protocol: 'tcp' },
      { target: 53, published: '53', protocol: 'udp' },
    ],
  })
})

it('Docker Compose takes the file of an image without a config', async ({ skip }) => {
  if (!existsSync(compose)) return skip('docker-compose is not here: make interop fetches it')
  expect(await configured({ cmd: [], workingDir: null, env: [], exposedPorts: [] })).toMatchObject({ image, restart: 'no', command: null })
})
