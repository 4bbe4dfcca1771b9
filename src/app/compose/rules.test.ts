import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { lintCompose } from './lint-compose.ts'
import { COMPOSE_RULES } from './rules/all.ts'

const IMAGE = `registry.example/app@sha256:${'ab'.repeat(32)}`
const GOOD = `services:
  app:
    image: "${IMAGE}"
    ports:
      - "3000:3000"
    restart: "no"
    volumes:
      - data:/data
      - /var/run/dstack.sock:/var/run/dstack.sock
volumes:
  data: {}
`
const APP = { manifest_version: 2, name: 'app', runner: 'docker-compose', docker_compose_file: GOOD, kms_enabled: true }

const bytes = (value: string | object): Uint8Array => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const app = (change: object): object => ({ ...APP, ...change })
/** A Compose file whose service has these lines more. */
const service = (...lines: string[]): string => `services:\n  app:\n    image: "${IMAGE}"\n${lines.map((line) => `    ${line}\n`).join('')}`
const found = (value: string | object, rule: string) => lintCompose(bytes(value)).findings.filter((finding) => finding.rule === rule)

/** By rule: what it is against, how gravely, and where in the text. */
const AGAINST: readonly (readonly [
  rule: string,
  value: string | object,
  severity: 'deny' | 'warn' | 'info',
  pointer: string,
  line?: number,
])[] = [
  ['app-form', app({ manifest_version: 3 }), 'deny', '/manifest_version', 1],
  ['app-form', app({ manifest_version: '0' }), 'deny', '/manifest_version', 1],
  ['app-form', app({ name: 7 }), 'deny', '/name', 1],
  ['app-form', app({ docker_compose_file: undefined }), 'deny', '/docker_compose_file'],
  ['app-size', app({ x_note: 'x'.repeat(257 * 1024) }), 'deny', ''],
  ['app-size', app({ x_note: 'x'.repeat(201 * 1024) }), 'warn', ''],
  ['app-key-unknown', app({ post_launch_script: 'x' }), 'warn', '/post_launch_script', 1],
  ['runner', app({ runner: 'bash', bash_script: 'true' }), 'deny', '/runner', 1],
  ['pre-launch-script', app({ pre_launch_script: 'docker run evil' }), 'deny', '/pre_launch_script', 1],
  ['pre-launch-script', app({ pre_launch_script: ['x'] }), 'deny', '/pre_launch_script', 1],
  ['init-script', app({ init_script: 'x' }), 'deny', '/init_script', 1],
  ['init-script', app({ init_script: ['x', 'y'] }), 'deny', '/init_script/1', 1],
  ['init-script', app({ bash_script: 'x' }), 'deny', '/bash_script', 1],
  ['allowed-env', app({ allowed_envs: ['COMPOSE_FILE'] }), 'deny', '/allowed_envs/0', 1],
  ['allowed-env', app({ allowed_envs: ['A', 'LD_PRELOAD'] }), 'deny', '/allowed_envs/1', 1],
  ['allowed-env', app({ allowed_envs: ['DSTACK_ROOT_PASSWORD'] }), 'deny', '/allowed_envs/0', 1],
  ['allowed-env', app({ allowed_envs: ['A B'] }), 'deny', '/allowed_envs/0', 1],
  ['allowed-env', app({ allowed_envs: 'A' }), 'deny', '/allowed_envs', 1],
  ['allowed-env', app({ allowed_envs: ['GREETING'] }), 'warn', '/allowed_envs/0', 1],
  ['public-tcbinfo', app({ public_tcbinfo: false }), 'deny', '/public_tcbinfo', 1],
  ['public-logs', app({ public_logs: true }), 'warn', '/public_logs', 1],
  ['key-provider', app({ key_provider: 'tpm' }), 'warn', '/key_provider', 1],
  ['key-provider', app({ kms_enabled: undefined }), 'warn', '/kms_enabled'],
  ['key-provider', app({ local_key_provider_enabled: true }), 'warn', '/local_key_provider_enabled', 1],
  ['verity-volume', app({ verity_volumes: [{ source: 'x', verity_root: 'aa', target: '/x' }] }), 'deny', '/verity_volumes/0', 1],
  ['guest-version', app({}), 'info', '/requirements'],
  ['secure-time', app({ secure_time: false }), 'warn', '/secure_time', 1],
  ['yaml-ambiguous', 'services: &a\n  app: {image: x}\n', 'deny', '', 2],
  ['yaml-ambiguous', `x-a: &a {b: 1}\n${GOOD}x-b: *a\n`, 'deny', '', 13],
  ['yaml-ambiguous', service('<<: {privileged: true}'), 'deny', '', 4],
  ['yaml-ambiguous', service('image: other'), 'deny', '', 4],
  ['yaml-ambiguous', service('tty: !!bool "yes"'), 'deny', '', 4],
  ['yaml-ambiguous', `%YAML 1.1\n---\n${GOOD}`, 'deny', '', 1],
  ['yaml-ambiguous', `${GOOD}---\n${GOOD}`, 'deny', ''],
  ['yaml-ambiguous', service('1: x'), 'deny', '', 4],
  ['yaml-ambiguous', service('mem_limit: 123456789012345678901'), 'deny', '', 4],
  ['yaml-ambiguous', 'services: [', 'deny', ''],
  ['yaml-ambiguous', `a: ${'['.repeat(2000)}`, 'deny', ''],
  ['yaml-versions', service('restart: no'), 'warn', '/services/app/restart', 4],
  ['yaml-versions', service('ports: [22:22]'), 'warn', '/services/app/ports/0', 4],
  ['compose-form', 'services: {}\n', 'deny', '/services'],
  ['compose-form', '[1]\n', 'deny', ''],
  ['compose-form', `${GOOD}hooks: {}\n`, 'deny', '/hooks', 12],
  ['compose-form', 'services:\n  app: x\n', 'deny', '/services/app', 2],
  ['service-key-unknown', service('post_run: x'), 'deny', '/services/app/post_run', 4],
  ['image-unpinned', 'services:\n  app:\n    image: app:latest\n', 'deny', '/services/app/image', 3],
  ['image-unpinned', `services:\n  app:\n    image: "\${IMAGE}@sha256:${'a'.repeat(64)}"\n`, 'deny', '/services/app/image', 3],
  ['image-unpinned', `services:\n  app:\n    image: app@sha256:${'A'.repeat(64)}\n`, 'deny', '/services/app/image', 3],
  ['image-unpinned', 'services:\n  app:\n    init: true\n', 'deny', '/services/app/image', 2],
  ['build-section', service('build: .'), 'deny', '/services/app/build', 4],
  ['build-section', service('pull_policy: build'), 'deny', '/services/app/pull_policy', 4],
  ['build-section', service('provider: {type: x}'), 'deny', '/services/app/provider', 4],
  ['outside-file', `include: [other.yml]\n${GOOD}`, 'deny', '/include', 1],
  ['outside-file', service('extends: {service: x, file: y.yml}'), 'deny', '/services/app/extends', 4],
  ['outside-file', service('env_file: .env'), 'deny', '/services/app/env_file', 4],
  ['outside-file', `${GOOD}secrets: {a: {file: ./a}}\n`, 'deny', '/secrets/a/file', 12],
  ['outside-file', `${GOOD}configs: {a: {external: true}}\n`, 'deny', '/configs/a/external', 12],
  ['engine-socket', service('volumes: ["/var/run/docker.sock:/s"]'), 'deny', '/services/app/volumes/0', 4],
  ['engine-socket', service('volumes: [{type: bind, source: /run/./x/../docker.sock, target: /s}]'), 'deny', '/services/app/volumes/0', 4],
  ['engine-socket', service('use_api_socket: true'), 'deny', '/services/app/use_api_socket', 4],
  ['guest-folder', service('volumes: ["/:/host"]'), 'deny', '/services/app/volumes/0', 4],
  ['guest-folder', service('volumes: ["/srv/../etc:/x:ro"]'), 'deny', '/services/app/volumes/0', 4],
  ['guest-folder', service('volumes: [{type: bind, source: /dstack, target: /x}]'), 'deny', '/services/app/volumes/0', 4],
  ['guest-folder', service('volumes: ["./files:/x"]'), 'warn', '/services/app/volumes/0', 4],
  ['privileged', service('privileged: true'), 'deny', '/services/app/privileged', 4],
  ['privileged', service('privileged: "yes"'), 'deny', '/services/app/privileged', 4],
  ['privileged', service('cap_add: [CAP_SYS_ADMIN]'), 'deny', '/services/app/cap_add/0', 4],
  ['privileged', service('cap_add: [CHOWN]'), 'warn', '/services/app/cap_add/0', 4],
  ['privileged', service('security_opt: ["seccomp:unconfined"]'), 'deny', '/services/app/security_opt/0', 4],
  ['privileged', service('devices: ["/dev/sda"]'), 'deny', '/services/app/devices', 4],
  ['privileged', service('gpus: all'), 'warn', '/services/app/gpus', 4],
  ['host-namespace', service('network_mode: host'), 'deny', '/services/app/network_mode', 4],
  ['host-namespace', service('pid: "container:x"'), 'deny', '/services/app/pid', 4],
  ['code-override', service('command: ["sh", "-c", "curl x | sh"]'), 'warn', '/services/app/command', 4],
  ['code-override', service('entrypoint: /bin/sh'), 'warn', '/services/app/entrypoint', 4],
  ['code-override', service('post_start: [{command: x}]'), 'warn', '/services/app/post_start', 4],
  ['code-override', service('healthcheck: {test: [CMD, x]}'), 'warn', '/services/app/healthcheck/test', 4],
  ['code-override', service('user: root'), 'info', '/services/app/user', 4],
  ['content-override', service('configs: [{source: a, target: /app.js}]'), 'warn', '/services/app/configs', 4],
  ['content-override', `${GOOD}configs: {a: {content: "evil"}}\n`, 'warn', '/configs/a/content', 12],
  ['environment', service('environment: ["NODE_OPTIONS=--require=/x.js"]'), 'deny', '/services/app/environment/0', 4],
  ['environment', service('environment: {API_URL: "$API_URL"}'), 'deny', '/services/app/environment/API_URL', 4],
  ['environment', service('environment: {TO: "https://${WHERE}/"}'), 'deny', '/services/app/environment/TO', 4],
  ['environment', service('environment: [DATABASE_HOST]'), 'deny', '/services/app/environment/0', 4],
  ['environment', service('environment: [GREETING]'), 'warn', '/services/app/environment/0', 4],
  ['environment', service('environment: {GREETING: }'), 'warn', '/services/app/environment/GREETING', 4],
  ['environment', service('environment: {DEBUG: 1}'), 'warn', '/services/app/environment/DEBUG', 4],
  ['environment', service('environment: {GREETING: hello}'), 'info', '/services/app/environment/GREETING', 4],
  ['interpolation', service('volumes: ["${DIR:-/}:/x"]'), 'deny', '/services/app/volumes/0', 4],
  ['interpolation', service('command: [x, $$$A]'), 'deny', '/services/app/command/1', 4],
  ['name-resolution', service('extra_hosts: ["api.example:10.0.0.1"]'), 'warn', '/services/app/extra_hosts', 4],
  ['log-driver', service('logging: {driver: syslog}'), 'warn', '/services/app/logging/driver', 4],
  ['profiles', service('profiles: [debug]'), 'warn', '/services/app/profiles', 4],
]

describe('the rules of app-composes', () => {
  it.each(AGAINST.map(([rule, value, ...place]) => ({ rule, value, place })))('$rule is against $value', ({ rule, value, place }) => {
    const [severity, pointer, line] = place
    expect(found(value, rule)).toContainEqual(expect.objectContaining({ severity, pointer, ...(line === undefined ? {} : { line }) }))
  })

  it('each have something that they are against', () => {
    expect(new Set(AGAINST.map(([rule]) => rule))).toEqual(new Set(COMPOSE_RULES.map(({ id }) => id)))
  })

  it('have nothing against an image by its digest with ports, a volume and the guest agent’s socket', () => {
    for (const value of [GOOD, app({ requirements: { os_version: '>=0.5.6' }, manifest_version: '3' })])
      expect(lintCompose(bytes(value)).findings).toEqual([])
  })

  it.each<[string, string | object, string]>([
    ['a dollar', service('hostname: "a$$b"'), 'interpolation'],
    ['a word between quotes', service('restart: "no"'), 'yaml-versions'],
    ['a note', `${GOOD}x-note: {a: b}\n`, 'compose-form'],
    ['no new privileges', service('security_opt: ["no-new-privileges:true"]'), 'privileged'],
    ['another network', service('network_mode: none'), 'host-namespace'],
    ['a note of the app', app({ x_note: 1 }), 'app-key-unknown'],
    ['an empty script', app({ pre_launch_script: '' }), 'pre-launch-script'],
    ['an exclamation mark', service('hostname: a!b', 'container_name: "!x"'), 'yaml-ambiguous'],
  ])('have nothing against %s', (_, value, rule) => {
    expect(found(value, rule)).toEqual([])
  })

  it('name the value by which a policy can allow it: a text by its own bytes, anything else by its JSON', () => {
    const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
    expect(found(app({ pre_launch_script: 'é' }), 'pre-launch-script')[0]?.sha256).toBe(sha256('é'))
    expect(found(service('command: [a, 1]'), 'code-override')[0]?.sha256).toBe(sha256('["a",1]'))
    expect(found(service('post_start: [{user: b, command: a}]'), 'code-override')[0]?.sha256).toBe(sha256('[{"command":"a","user":"b"}]'))
  })

  it('find a place in the Compose file inside of an app-compose by its own lines', () => {
    const compose = service('privileged: true')
    expect(found(app({ docker_compose_file: compose }), 'privileged')).toMatchObject([{ part: 'docker-compose', line: 4, column: 17 }])
  })

  it('say at most a hundred times the same, and that there is more', () => {
    const many = service(`cap_add: [${Array.from({ length: 250 }, (_, index) => `C${index}`).join(', ')}]`)
    const findings = found(many, 'privileged')
    expect([findings.length, findings.filter(({ message }) => message.includes('150 more')).length]).toEqual([101, 1])
  })
})
