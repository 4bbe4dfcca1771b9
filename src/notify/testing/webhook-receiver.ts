import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { run } from '../../../verifier/source/testing/programs.ts'

/** A host whose name leads where the test's name server says. */
export const RECEIVER_HOST = 'hook.test'

export type Certificate = { readonly key: string; readonly cert: string }

export type WebhookReceiver = AsyncDisposable & {
  readonly url: string
  readonly requests: { readonly method: string; readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string }[]
}

/** A certificate for the host, by nobody but itself. */
export async function certificateOf(host = RECEIVER_HOST): Promise<Certificate> {
  const room = await mkdtemp(path.join(tmpdir(), 'bitwitness-tls-'))
  try {
    const made = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`, '-keyout', 'key', '-out', 'cert']
    run('openssl', ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-days', '1', ...made], { cwd: room })
    const [key = '', cert = ''] = await Promise.all(['key', 'cert'].map((name) => readFile(path.join(room, name), 'latin1')))
    return { key, cert }
  } finally {
    await rm(room, { recursive: true })
  }
}

/** Receives by https on the loopback. */
export async function receive(
  certificate: Certificate,
  answer: (response: ServerResponse) => void = (response) => void response.writeHead(204).end(),
): Promise<WebhookReceiver> {
  const requests: WebhookReceiver['requests'] = []
  const server = createServer(certificate, (request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      requests.push({ method, path: url, headers, body: Buffer.concat(parts).toString() })
      answer(response)
    })
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `https://${RECEIVER_HOST}:${(server.address() as AddressInfo).port}/told`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
