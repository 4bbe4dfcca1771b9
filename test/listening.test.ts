import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Listening, type ListenOptions } from '../src/listening.ts'

const open: Listening[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close(0)
})

async function listen(change: Partial<ListenOptions> = {}): Promise<Listening> {
  const listening = await Listening.open({
    fetch: (request) => new Response(new URL(request.url).pathname),
    unreadable: () => new Response(null, { status: 400 }),
    host: '127.0.0.1',
    port: 0,
    requestMs: 60_000,
    onError: () => {},
    ...change,
  })
  open.push(listening)
  return listening
}

function socketTo({ url }: Listening): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(Number(url.port), url.hostname, () => resolve(socket))
  })
}

describe('listening', () => {
  it('takes a free port, and says where it is', async () => {
    const { url } = await listen()
    expect(Number(url.port)).toBeGreaterThan(0)
    expect(await (await fetch(new URL('here', url))).text()).toBe('/here')
  })

  it('says that another program has the port, or that the address is none of this machine', async () => {
    const { url } = await listen()
    await expect(listen({ port: Number(url.port) })).rejects.toMatchObject({
      code: 'listen-in-use',
      message: `another program listens on ${url.host}`,
    })
    await expect(listen({ host: '192.0.2.1' })).rejects.toMatchObject({ code: 'listen-refused' })
  })

  it('answers what is under way before it closes, and takes nothing new', async () => {
    const { promise: asked, resolve: arrived } = Promise.withResolvers<void>()
    const { promise: go, resolve: answer } = Promise.withResolvers<void>()
    const listening = await listen({
      fetch: async () => {
        arrived()
        await go
        return new Response('done')
      },
    })
    const response = fetch(listening.url)
    await asked
    const closed = listening.close(60_000)
    await expect(fetch(listening.url)).rejects.toThrow('fetch failed')
    answer()
    expect(await (await response).text()).toBe('done')
    await closed
  })

  it('lets go of whoever reads on, once the grace is over', async () => {
    const listening = await listen({
      fetch: () => new Response(new ReadableStream({ start: (stream) => stream.enqueue(Buffer.from('a')) })),
    })
    const socket = await socketTo(listening)
    socket.write('GET / HTTP/1.1\r\nhost: here\r\n\r\n')
    await new Promise((resolve) => socket.once('data', resolve))
    const gone = new Promise((resolve) => socket.once('close', () => resolve('gone')))
    await listening.close(1)
    expect(await gone).toBe('gone')
  })

  it('refuses a head that is too large', async () => {
    const { url } = await listen()
    const answer = await fetch(url, { headers: { more: 'a'.repeat(20_000) } })
    expect(answer.status).toBe(431)
  })

  it('tells of what could not be answered, and answers nothing of it', async () => {
    const told: unknown[] = []
    const reason = new Error('a secret')
    const { url } = await listen({ fetch: () => Promise.reject(reason), onError: (error) => told.push(error) })
    const answer = await fetch(url)
    expect([answer.status, await answer.text(), told]).toEqual([500, '', [reason]])
  })
})
