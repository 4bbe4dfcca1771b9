import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { VmmOptions } from '../../test/stand-ins/dstack-vmm.ts'
import { DEV_IMAGE, IMAGE } from '../../test/stand-ins/vmm-guests.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { DeployOrder } from '../app/deploy/deployment.ts'
import { BYTES, closeVmms, GATEWAY, HASH, held, OS_IMAGE, openVmm, ordered, signal } from './testing/vmm-trial.ts'

afterEach(closeVmms)

describe('a guest of dstack-vmm', () => {
  it('is offered stopped, of the very bytes, started once, followed and removed', async () => {
    const { vmm, target } = await openVmm()
    const { offer, appCompose } = await target.offer(ordered(), signal)
    expect(appCompose).toEqual(BYTES)
    const [guest] = vmm.guests
    expect(offer).toEqual({
      composeHash: HASH,
      appCompose: HASH,
      appId: HASH.slice(0, 40),
      osImageHash: OS_IMAGE,
      deviceId: null,
      envKey: null,
      handle: { vm: guest?.id, made: 1 },
    })
    expect(vmm.called('CreateVm')).toMatchObject([{ compose_file: BYTES.toString(), stopped: true, no_tee: false, app_id: null }])
    expect([guest?.status, vmm.everStarted]).toEqual(['stopped', 0])
    expect(await target.find({ ordered: ordered(), offer }, signal)).toBeUndefined()
    const started = await target.commit({ ordered: ordered(), offer, environment: null }, signal)
    expect(await target.find({ ordered: ordered(), offer }, signal)).toBe(started)
    await vmm.booted()
    expect(await target.state(started, signal)).toEqual({
      status: 'running',
      appId: HASH.slice(0, 40),
      instanceId: guest?.instanceId,
      gatewayDomain: GATEWAY,
      gatewayPort: 443,
    })
    expect(await target.attested(started, signal)).toEqual(BYTES)
    await target.stop(started, signal)
    await target.stop(started, signal)
    expect([vmm.everStarted, vmm.present]).toEqual([1, []])
    expect((await target.state(started, signal)).status).toBe('stopped')
    expect(await target.attested(started, signal)).toBeUndefined()
  })

  it('is given its environment after it was offered, encrypted to its app, and none where none is wanted', async () => {
    const { vmm, target } = await openVmm()
    const { offer } = await target.offer(ordered({}, { envNames: ['A'] }), signal)
    expect(vmm.guests[0]?.configuration.encrypted_env).toBe('')
    await target.commit({ ordered: ordered(), offer, environment: [{ name: 'A', value: 'sécret "x"' }] }, signal)
    const sealed = vmm.guests[0]?.configuration.encrypted_env ?? ''
    expect(vmm.envKey(HASH.slice(0, 40)).open(sealed)).toEqual([{ key: 'A', value: 'sécret "x"' }])
    expect(vmm.called('UpdateVm')).toHaveLength(1)
    expect(vmm.called('UpdateVm')[0]).toMatchObject({ compose_file: '', update_ports: false })
  })

  it('has the app id that was ordered', async () => {
    const { target } = await openVmm()
    const appId = 'ab'.repeat(20)
    expect((await target.offer(ordered({ appId }), signal)).offer.appId).toBe(appId)
  })

  it.each([
    ['Bearer', 'a-token', undefined],
    ['nothing', undefined, 'target-credentials-refused'],
    ['another token', 'another', 'target-credentials-refused'],
  ])('is offered by a VMM with a token to who shows %s', async (_, token, code) => {
    const { target } = await openVmm({ token: 'a-token' }, token === undefined ? {} : { token })
    expect(await codeOf(target.offer(ordered(), signal))).toBe(code)
  })

  it('is offered over a socket', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-vmm-'))
    held.push({ [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true }) })
    const { vmm, target } = await openVmm({ socket: path.join(folder, 'vmm.sock') })
    await target.offer(ordered(), signal)
    expect(vmm.guests).toHaveLength(1)
  })

  it('is what its KMS lets it be', async () => {
    const { vmm, target } = await openVmm({ script: { bootError: 'Boot denied: no' } })
    const { offer } = await target.offer(ordered(), signal)
    const guest = await target.commit({ ordered: ordered(), offer, environment: null }, signal)
    await vmm.booted()
    expect((await target.state(guest, signal)).status).toBe('failed')
  })

  it.each([
    [{ hangs: true }, 'starting'],
    [{ exits: true }, 'stopped'],
  ] as const)('that goes %o is %s', async (script, status) => {
    const { vmm, target } = await openVmm({ script, gateway: null })
    const { offer } = await target.offer(ordered(), signal)
    const guest = await target.commit({ ordered: ordered(), offer, environment: null }, signal)
    await vmm.booted()
    expect(await target.state(guest, signal)).toMatchObject({ status, gatewayDomain: null })
  })
})

describe('nothing is made or left', () => {
  it.each<[string, VmmOptions['script'], Partial<DeployOrder>, string]>([
    ['whose hash the VMM says otherwise', { hash: '0'.repeat(64) }, {}, 'target-compose-hash-differs'],
    ['on a guest image for developers', {}, { options: { image: DEV_IMAGE } }, 'target-image-dev'],
    ['on a guest image that is not there', {}, { options: { image: 'none' } }, 'target-image-unknown'],
    ['without a guest image', {}, { options: {} }, 'target-option-missing'],
    ['with options of others', {}, { options: { image: IMAGE, instanceType: 'tdx.small' } }, 'target-order-unsupported'],
    ['that the VMM starts unasked', { startsAtOnce: true }, {}, 'target-started-unasked'],
    ['without a TEE', { keeps: (told) => ({ ...told, no_tee: true }) }, {}, 'target-configuration-differs'],
    ['in a simulated TEE', { keeps: (told) => ({ ...told, simulated_tee: 'dstack-tdx' }) }, {}, 'target-configuration-differs'],
    ['of other bytes', { keeps: (told) => ({ ...told, compose_file: `${told.compose_file} ` }) }, {}, 'target-configuration-differs'],
    ['on another guest image', { keeps: (told) => ({ ...told, image: DEV_IMAGE }) }, {}, 'target-configuration-differs'],
    ['of another app', { keeps: (told) => ({ ...told, app_id: 'cd'.repeat(20) }) }, {}, 'target-configuration-differs'],
    ['with user configuration', { keeps: (told) => ({ ...told, user_config: 'x' }) }, {}, 'target-configuration-differs'],
    ['with another KMS', { keeps: (told) => ({ ...told, kms_urls: ['https://kms.example'] }) }, {}, 'target-configuration-differs'],
  ])('%s', async (_, script, change, code) => {
    const { vmm, target } = await openVmm(script === undefined ? {} : { script })
    expect(await codeOf(target.offer(ordered(change), signal))).toBe(code)
    expect(vmm.present).toEqual([])
  })

  it('of bytes that are no text', async () => {
    const { vmm, target } = await openVmm()
    expect(await codeOf(target.offer(ordered({}, { bytes: Buffer.from([0x7b, 0xff, 0x7d]) }), signal))).toBe('target-compose-unsendable')
    expect(vmm.calls).toEqual([])
  })

  it('where what lies there was changed before it is started', async () => {
    const { vmm, target } = await openVmm()
    const { offer } = await target.offer(ordered(), signal)
    const [guest] = vmm.guests
    if (guest !== undefined) guest.configuration = { ...guest.configuration, compose_file: `${guest.configuration.compose_file} ` }
    expect(await codeOf(target.commit({ ordered: ordered(), offer, environment: null }, signal))).toBe('target-configuration-differs')
    expect([vmm.everStarted, vmm.present]).toEqual([0, []])
  })

  it('where it is gone before it is started', async () => {
    const { vmm, target } = await openVmm()
    const { offer } = await target.offer(ordered(), signal)
    await target.withdraw({ ordered: ordered(), offer }, signal)
    await target.withdraw({ ordered: ordered(), offer }, signal)
    expect(vmm.present).toEqual([])
    expect(await target.find({ ordered: ordered(), offer }, signal)).toBeUndefined()
    expect(await codeOf(target.commit({ ordered: ordered(), offer, environment: null }, signal))).toBe('target-guest-gone')
  })

  it('of what is withdrawn, though somebody started it', async () => {
    const { vmm, target } = await openVmm()
    const { offer } = await target.offer(ordered(), signal)
    await target.commit({ ordered: ordered(), offer, environment: null }, signal)
    await target.withdraw({ ordered: ordered(), offer }, signal)
    expect(vmm.present).toEqual([])
  })
})

describe('a name that is taken', () => {
  it('by a guest that two orders found lying there is of the one that started it: the other takes nothing away that runs', async () => {
    const { target } = await openVmm()
    const one = await target.offer(ordered(), signal)
    const other = await target.offer(ordered(), signal)
    const guest = await target.commit({ ordered: ordered(), offer: one.offer, environment: null }, signal)
    await target.withdraw({ ordered: ordered(), offer: other.offer }, signal)
    expect((await target.state(guest, signal)).status).not.toBe('stopped')
    // What lies there stopped is taken away by either, and is not started any more.
    const { vmm, target: second } = await openVmm()
    await second.offer(ordered(), signal)
    await second.withdraw({ ordered: ordered(), offer: (await second.offer(ordered(), signal)).offer }, signal)
    expect(vmm.present).toEqual([])
  })

  it('by what an earlier call made, is that', async () => {
    const { vmm, target } = await openVmm()
    const first = await target.offer(ordered(), signal)
    const handle = { ...first.offer.handle, made: 0 }
    expect(await target.offer(ordered(), signal)).toEqual({ ...first, offer: { ...first.offer, handle } })
    expect(vmm.guests).toHaveLength(1)
  })

  it.each([
    ['one that runs', {}, true],
    ['one of another size', { options: { image: IMAGE, vcpu: 8 } }, false],
  ] as const)('by %s, is refused', async (_, change, runs) => {
    const { vmm, target } = await openVmm()
    const { offer } = await target.offer(ordered(change), signal)
    if (runs) await target.commit({ ordered: ordered(change), offer, environment: null }, signal)
    expect(await codeOf(target.offer(ordered(), signal))).toBe('target-name-taken')
    expect(vmm.present).toHaveLength(1)
  })

  it('in part, is another name', async () => {
    const { vmm, target } = await openVmm()
    await target.offer(ordered({ name: 'app-one-more' }), signal)
    await target.offer(ordered(), signal)
    expect(vmm.present).toHaveLength(2)
  })
})

async function codeOf(act: Promise<unknown>): Promise<string | undefined> {
  return await act.then(
    () => undefined,
    (error: unknown) => (error instanceof Failure ? error.code : Promise.reject(error)),
  )
}
