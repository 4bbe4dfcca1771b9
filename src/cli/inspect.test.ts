import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GuestFault, type StandInGateway, standInMeasurement, startStandInGateway } from '../../test/stand-ins/guest-agent.ts'
import { APP_COMPOSE, APP_ID, COMPOSE_HASH, digest } from '../app/gate/testing/passing.ts'
import { Inspection } from '../app/inspect/inspection.ts'
import { openInspecting } from './open-use-cases.ts'
import { ran } from './testing/terminal.ts'

const { signal } = new AbortController()
const before = getCACertificates('default')
let gateway: StandInGateway
let folder: string
beforeAll(async () => {
  gateway = await startStandInGateway()
  setDefaultCACertificates([...before, gateway.authority])
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-inspect-'))
})
afterAll(async () => {
  setDefaultCACertificates(before)
  await gateway[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const put = async (name: string, content: string): Promise<string> => {
  const file = path.join(folder, name)
  await writeFile(file, content)
  return file
}
const start = (...faults: readonly GuestFault[]): string => {
  gateway.start({ appId: APP_ID, appCompose: APP_COMPOSE, osImageHash: digest('d'), faults: new Set(faults) })
  return gateway.url(APP_ID)
}
const inspecting = async (
  args: readonly string[],
  environment: Readonly<Record<string, string>> = { BITWITNESS_GATEWAYS: gateway.setting },
) => await ran(['inspect', ...args], {}, { inspecting: (o) => openInspecting(environment, o, signal) })
const answered = async (...args: readonly string[]) => {
  const { exit, stdout, stderr } = await inspecting(['--json', ...args])
  if (stderr !== '') throw new Error(stderr)
  return { exit, inspection: Inspection.parse(JSON.parse(stdout)) }
}
const simulated = async (): Promise<string[]> => [
  '--simulated-root',
  await put('root.pem', gateway.root),
  '--measurements',
  await put('image.json', JSON.stringify(standInMeasurement(digest('d')))),
]

describe('inspect', () => {
  it('ends with 3 for what is simulated, and says so in all that it says', async () => {
    const url = start()
    const { exit, inspection } = await answered(url, '--health', '/health', ...(await simulated()))
    expect([exit, inspection.verdict, inspection.app.composeHash]).toEqual([3, 'simulated', COMPOSE_HASH])
    const { stdout } = await inspecting([url, ...(await simulated())])
    await expect(stdout.replaceAll(/(?<=instance )[0-9a-f]{40}/g, 'INSTANCE')).toMatchFileSnapshot('testdata/inspect-simulated.txt')
  })

  it('ends with 1 for what does not hold', async () => {
    const { exit, inspection } = await answered(start('wrong-compose'), ...(await simulated()))
    expect([exit, inspection.verdict]).toEqual([1, 'failed'])
    const { stdout } = await inspecting([start('wrong-compose'), ...(await simulated())])
    expect(stdout).toContain(
      'fail  compose-hash  The app-compose is the measured one: the bytes that the guest shows are not those that it measured',
    )
  })

  it('ends with 3 for what nothing proves: no collateral, no measurement', async () => {
    const { exit, inspection } = await answered(start())
    expect([exit, inspection.verdict]).toEqual([3, 'unproven'])
    expect(inspection.lines.find(({ id }) => id === 'quote-signature')).toMatchObject({
      status: 'skip',
      reason: 'no collateral of Intel’s is at hand: give it, or a PCCS that has it',
    })
    const { stdout } = await inspecting([start()])
    expect(stdout).toMatch(/\nnot proven: quote-signature, tcb-status, boot-measurement, .*url-binding\n$/)
  })

  it('asks the path that the URL has', async () => {
    const unwell = await answered(`${start('unhealthy')}/healthz`, ...(await simulated()))
    expect(unwell.inspection.lines.find(({ id }) => id === 'health')).toMatchObject({ status: 'fail', detail: 'HTTP 503' })
  })

  it('shows text of strangers as text', async () => {
    gateway.start({ appId: APP_ID, appCompose: APP_COMPOSE, osImageHash: digest('d'), name: '\u001b[2J\u202eapp' })
    const { stdout } = await inspecting([gateway.url(APP_ID)])
    expect(stdout).toContain('\\u{1b}[2J\\u{202e}app')
  })

  it('names the file that is no JSON', async () => {
    const pem = await put('image.pem', '-----BEGIN CERTIFICATE-----\n')
    for (const flag of ['--measurements', '--collateral']) {
      const { exit, stderr } = await inspecting([start(), flag, pem])
      expect([exit, stderr]).toEqual([3, expect.stringContaining(pem)])
    }
  })

  it.each<[string, () => Promise<readonly string[]>, number, string]>([
    ['a domain that is on no list', () => Promise.resolve([`https://${APP_ID}-80.gateway.example.com`]), 2, 'gateway-not-listed'],
    ['the domain that is often guessed', () => Promise.resolve([`https://${APP_ID}-80.pa.phala.network`]), 2, 'gateway-url-domain'],
    ['the URL of a gateway', () => Promise.resolve([`https://gateway.${gateway.base}`]), 2, 'inspect-gateway'],
    ['what is no URL', () => Promise.resolve(['app']), 2, 'gateway-url-malformed'],
    ['what is no public key', async () => [start(), '--simulated-root', await put('no.pem', 'no key')], 2, 'simulated-root-malformed'],
    ['what is no measurement', async () => [start(), '--measurements', await put('no.json', '{}')], 2, 'measurements-malformed'],
    ['what is no collateral', async () => [start(), '--collateral', await put('no.json', '{}')], 2, 'collateral-malformed'],
    ['what is no policy', async () => [start(), '--policy', await put('no.yaml', '{}')], 3, 'policy-invalid'],
    ['two roots', async () => [start(), '--collateral', 'x', ...(await simulated())], 2, 'quote-root-ambiguous'],
    ['a PCCS without TLS', () => Promise.resolve([start(), '--collateral', 'http://pccs.example']), 2, 'download-plain-http'],
  ])('does not take %s', async (_, args, exit, code) => {
    const answer = await inspecting(await args())
    expect([answer.exit, answer.stdout]).toEqual([exit, ''])
    expect(answer.stderr).toContain(`(${code})`)
  })
})
