import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
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
