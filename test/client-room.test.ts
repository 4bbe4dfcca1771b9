import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FakeService, ID, startFakeService } from '../src/client/testing/fake-service.ts'
import { type ClientRoomOptions, openClient } from '../src/client-room.ts'
import { Secret } from '../verifier/model/secret.ts'

let folder: string
let service: FakeService
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-client-'))
  service = await startFakeService()
})
afterEach(async () => {
  await service[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const signal = new AbortController().signal
const NO_CI = { github: null, token: null }

/** What the service was shown, after one request that changes something. */
async function shown(settings: Partial<ClientRoomOptions['settings']>, ci: ClientRoomOptions['ci'] = NO_CI): Promise<string[]> {
  await openClient({ settings: { server: null, token: null, tokenFile: null, ...settings }, ci, server: service.url }).cancel(ID, signal)
  return [...service.tokens]
}

describe('who we are to a service', () => {
  it('is what the setting says, or its file', async () => {
    expect(await shown({ token: new Secret('one') })).toEqual(['Bearer one'])
    await writeFile(path.join(folder, 'token'), 'two\n')
    expect(await shown({ tokenFile: path.join(folder, 'token') })).toEqual(['Bearer one', 'Bearer two'])
  })

  it('is on GitHub what its issuer says, for this service alone', async () => {
    const github = { url: new URL('v1/blobs/token', service.url), bearer: new Secret('request') }
    service.blobs.set(`token?audience=${encodeURIComponent(service.url.origin)}`, Buffer.from('{"value":"three"}'))
    const tokens = await shown({}, { github, token: null })
    expect(service.asked[0]).toBe(`GET /v1/blobs/token?audience=${encodeURIComponent(service.url.origin)}`)
    expect(tokens).toEqual(['Bearer request', 'Bearer three'])
  })

  it.each([
    [{ token: new Secret('one'), tokenFile: '/token' }, 'setting-conflict'],
    [{ tokenFile: '/no/such/file' }, 'identity-token-unreadable'],
  ])('cannot be told otherwise', async (settings, code) => {
    await expect(shown(settings)).rejects.toMatchObject({ code })
  })

  it('is nobody where nothing is set: who only reads needs no token', async () => {
    await expect(shown({})).rejects.toMatchObject({ code: 'token-missing' })
    const client = openClient({ settings: { server: service.url, token: null, tokenFile: null }, ci: NO_CI, server: null })
    expect(await client.verification(ID, signal)).toMatchObject({ id: ID })
  })

  it('needs a service', () => {
    expect(() => openClient({ settings: { server: null, token: null, tokenFile: null }, ci: NO_CI, server: null })).toThrow(
      expect.objectContaining({ code: 'server-missing', message: 'nothing says which service to ask' }),
    )
  })

  it('says no more of a service that is away than to try again, for nothing may have been submitted', async () => {
    const server = new URL('http://127.0.0.1:1/')
    const client = openClient({ settings: { server, token: null, tokenFile: null }, ci: NO_CI, server: null })
    await expect(client.verification(ID, signal)).rejects.toMatchObject({
      code: 'server-unreachable',
      hint: 'check the address and the network, and run it again',
    })
  })
})
