import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { writeBuiltImage } from '../app/testing/built-image.ts'
import { FakeRegistry } from '../registry/testing/fake-registry.ts'
import { openTestRegistry } from '../registry/testing/open.ts'
import type { CliIo } from './cli-context.ts'
import { type Ran, ran } from './testing/terminal.ts'

let folder: string
let fake: FakeRegistry
let image: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-registry-commands-'))
  fake = await FakeRegistry.start()
  image = (await writeBuiltImage(folder, Buffer.alloc(10240))).artifacts[0]?.oci?.manifest ?? ''
})
afterEach(async () => {
  await fake[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

function run(args: readonly string[], change: Partial<CliIo> = {}): Promise<Ran> {
  const registry = openTestRegistry()
  const room = {
    registry,
    deployment: () => ({ compose: 'services: {}\n', appCompose: '{}', composeHash: digestOf('{}') }),
    now: () => '2026-11-24T10:00:00.000Z',
    maxBytes: 1 << 20,
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  }
  return ran(args, {}, { registry: () => Promise.resolve(room), ...change })
}

/** Without what is another in every run. */
const plain = ({ stdout }: Ran): string => stdout.replaceAll(fake.host, 'HOST').replaceAll(folder, 'FOLDER')
const page = (name: string): string => path.join(import.meta.dirname, 'testdata', `${name}.txt`)

async function bundle(subject: string): Promise<string> {
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: '_', digest: { sha256: subject } }],
    predicateType: 'a:b',
    predicate: {},
  }
  const payload = Buffer.from(JSON.stringify(statement)).toString('base64')
  const dsseEnvelope = { payloadType: 'application/vnd.in-toto+json', payload, signatures: [] }
  const file = path.join(folder, 'bundle.json')
  await writeFile(file, JSON.stringify({ mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json', dsseEnvelope }))
  return file
}

describe('push, attestation attach and pull', () => {
  it('say what they did, one after the other', async () => {
    const name = `${fake.host}/owner/app`
    const pushed = await run(['push', folder, name, '--tag', 'latest'])
    await expect(plain(pushed)).toMatchFileSnapshot(page('push'))
    expect([pushed.exit, pushed.opened, pushed.stderr.split('\n').slice(0, 2)]).toEqual([
      0,
      0,
      [expect.stringContaining('config: '), 'layer: 10 KiB'],
    ])
    await expect(plain(await run(['push', folder, name]))).toMatchFileSnapshot(page('push-again'))
    const attached = await run(['attestation', 'attach', await bundle(image), `${name}@sha256:${image}`])
    await expect(plain(attached)).toMatchFileSnapshot(page('attach'))
    const pulled = await run(['pull', `${name}@sha256:${image}`, '-o', path.join(folder, 'out')])
    await expect(plain(pulled)).toMatchFileSnapshot(page('pull'))
    expect([attached.exit, pulled.exit]).toEqual([0, 0])
  })

  it('give one document with --json', async () => {
    const name = `${fake.host}/owner/app`
    const documents = [
      await run(['push', folder, name, '--dry-run', '--json']),
      await run(['push', folder, name, '--json']),
      await run(['attestation', 'attach', await bundle(image), `${name}@sha256:${image}`, '--json']),
      await run(['pull', `${name}@sha256:${image}`, '--output', path.join(folder, 'out'), '--json']),
    ].map(({ stdout }) => JSON.parse(stdout) as Record<string, unknown>)
    expect(documents.map((document) => [Object.keys(document).slice(0, 2), document['schema'], document['verdict']])).toEqual(
      [
        ['bitwitness/push-report/v1', 'planned'],
        ['bitwitness/push-report/v1', 'pushed'],
        ['bitwitness/attach-report/v1', 'attached'],
        ['bitwitness/pull-report/v1', 'pulled'],
      ].map((one) => [['schema', 'verdict'], ...one]),
    )
  })

  it('end with 2 where the caller can mend it, and with 3 where the registry stopped them', async () => {
    const name = `${fake.host}/owner/app`
    const other = await bundle('0'.repeat(64))
    const exits = [
      await run(['push', folder, 'Not/A name']),
      await run(['push', folder, 'app']),
      await run(['push', folder, `${name}@sha256:${image}`]),
      await run(['push', folder, name, '--tag', '-']),
      await run(['push', path.join(folder, 'absent'), name]),
      await run(['pull', `${name}:latest`, '-o', path.join(folder, 'out')]),
      await run(['attestation', 'attach', other, `${name}@sha256:${image}`]),
      await run(['attestation', 'attach', other]),
      await run(['attestation', 'attach', other, `${name}:latest`]),
      await run(['pull', `${name}@sha256:${image}`, '-o', path.join(folder, 'out')]),
    ].map(({ exit }) => exit)
    expect(exits).toEqual([2, 2, 2, 2, 2, 2, 2, 2, 2, 3])
  })

  it('draw on a terminal how much is done, and wipe it away', async () => {
    let now = 0
    const { stderr } = await run(['push', folder, `${fake.host}/owner/app`], { interactive: true, clock: () => (now += 1000) })
    expect(stderr).toContain('\r\x1b[2Klayer: 10 KiB of 10 KiB')
    expect(stderr.endsWith('\r\x1b[2K')).toBe(true)
  })
})
