import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { idRange } from './id-range.ts'
import { probeMirror } from './mirror-probe.ts'
import { missingPrograms } from './programs.ts'

const never = new AbortController().signal

async function probing(answer: RequestListener, signal = never): ReturnType<typeof probeMirror> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    return await probeMirror('debian', new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`), signal)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

it('names the programs that are nowhere', async () => {
  expect(await missingPrograms(['sh', 'no-such-program', 'env', 'nor-this'])).toEqual(['no-such-program', 'nor-this'])
})

describe('a range of ids', () => {
  let etc: string
  beforeEach(async () => {
    etc = await mkdtemp(path.join(tmpdir(), 'bitwitness-etc-'))
  })
  afterEach(() => rm(etc, { recursive: true }))

  const ofUser = async (subuid: string, subgid: string) => {
    await writeFile(path.join(etc, 'subuid'), subuid)
    await writeFile(path.join(etc, 'subgid'), subgid)
    return await ranged()
  }
  const ranged = (missing: readonly string[] = []) => idRange({ uid: 1000, name: 'me' }, { etc, missing: () => Promise.resolve(missing) })

  it('is one that both files give to the name or number of the user, of 65536 at least', async () => {
    expect(await ofUser('me:100000:65536\n', 'you:1:99999\n1000:300000:65536\n')).toBe('there')
    for (const [subuid, subgid] of [
      ['', ''],
      ['me:100000:65536\n', ''],
      ['', 'me:100000:65536\n'],
      ['you:100000:65536\n', 'me:100000:65536\n'],
      ['me:100000:65535\n', 'me:100000:65536\n'],
      ['me:100000:1e9\n', 'me:100000:65536\n'],
      ['me::65536\n', 'me:100000:65536\n'],
    ] as const)
      expect(await ofUser(subuid, subgid)).toBe('missing')
  })

  it('is not there without the files or the programs, and root needs none', async () => {
    expect(await ranged()).toBe('missing')
    expect(await ofUser('me:1:65536', 'me:1:65536')).toBe('there')
    expect(await ranged(['newuidmap'])).toBe('missing')
    expect(await idRange({ uid: 0, name: 'root' }, { etc })).toBe('root')
  })
})

it('says of a mirror whether it answers and how far its clock is off', async () => {
  const late = await probing((_, response) => void response.setHeader('date', new Date(Date.now() - 3600_000).toUTCString()).end())
  expect(late).toMatchObject({ archive: 'debian', reached: true })
  expect(Math.round((late.skewSeconds ?? 0) / 60)).toBe(60)
  expect(await probing((_, response) => void response.writeHead(404, { date: 'yesterday' }).end())).toEqual({
    archive: 'debian',
    reached: false,
    skewSeconds: null,
  })
  expect(await probing((request) => void request.socket.destroy())).toEqual({ archive: 'debian', reached: false, skewSeconds: null })
})

it('stops asking a mirror when the caller gives up', async () => {
  const controller = new AbortController()
  const reason = new Error('enough')
  await expect(probing(() => controller.abort(reason), controller.signal)).rejects.toBe(reason)
})
