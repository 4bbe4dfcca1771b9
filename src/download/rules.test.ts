import { expect, it } from 'vitest'
import { downloadBytes } from './download.ts'
import { downloadRules } from './rules.ts'
import { sending, serveFiles } from './testing/file-server.ts'

const BOUNDS = { maxBytes: 100, seconds: 20 }

it.each([
  [{ plainHttp: true, privateHosts: true }, 'here'],
  [{ plainHttp: false, privateHosts: true }, 'download-plain-http'],
  [{ plainHttp: true, privateHosts: false }, 'download-host-private'],
  [{ plainHttp: false, privateHosts: false }, 'download-plain-http'],
])('%o: a server of this machine gives %s', async (allowed, expected) => {
  await using server = await serveFiles(sending('here'))
  const fetching = downloadBytes(`http://127.0.0.1:${server.port}/`, downloadRules(allowed, BOUNDS), new AbortController().signal)
  const got = await fetching.then(
    (bytes) => Buffer.from(bytes).toString(),
    (error: { code: string }) => error.code,
  )
  expect([got, server.requests.length]).toEqual([expected, expected === 'here' ? 1 : 0])
})

it('bounds are those that were given', () => {
  expect(downloadRules({ plainHttp: false, privateHosts: false }, BOUNDS)).toMatchObject(BOUNDS)
})
