import { existsSync } from 'node:fs'
import path from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { root } from './repository.ts'

const tool = (variable: string, name: string): string => process.env[variable] ?? path.join(root, '.tools', 'verifiers', 'bin', name)
const compose = tool('DOCKER_COMPOSE', 'docker-compose')
const promtool = tool('PROMTOOL', 'promtool')

type Stack = {
  readonly services: Readonly<Record<string, { readonly read_only?: boolean; readonly ports?: readonly { readonly host_ip?: string }[] }>>
}

describe('Docker Compose', () => {
  it.each([
    [[], ['coordinator', 'database', 'registry']],
    [
      ['--profile', 'sigstore'],
      ['certificate-log', 'coordinator', 'database', 'fulcio', 'registry', 'rekor', 'sigstore-health', 'timestamps'],
    ],
  ])('reads docker-compose.yml with %j', async (profile, names) => {
    if (!existsSync(compose)) throw new Error('docker-compose is not here: make interop fetches it')
    const { stdout } = await execa(compose, ['--file', 'docker-compose.yml', ...profile, 'config', '--format', 'json'], { cwd: root })
    const { services } = JSON.parse(stdout) as Stack
    expect(Object.keys(services).toSorted()).toEqual(names)
    for (const { read_only: readOnly, ports = [] } of Object.values(services)) {
      expect(readOnly).toBe(true)
      expect(ports.filter(({ host_ip: host }) => host !== '127.0.0.1')).toEqual([])
    }
  })
})

describe('promtool', () => {
  it.each([
    ['takes the rules', ['check', 'rules', 'deploy/prometheus-rules.yml']],
    ['sees them fire when they should, and not when they should not', ['test', 'rules', 'deploy/prometheus-rules.test.yml']],
  ])('%s', async (_, args) => {
    if (!existsSync(promtool)) throw new Error('promtool is not here: make interop fetches it')
    const { exitCode, all } = await execa(promtool, args, { cwd: root, reject: false, all: true })
    expect(exitCode, all).toBe(0)
  })
})
