import { once } from 'node:events'
import { type Duplex, duplexPair } from 'node:stream'

/** Sends bytes over a connection as a tunnel would, and gives back every byte of the answer until the proxy ends it. */
export async function rawExchange(proxy: { accept(connection: Duplex): void }, request: string): Promise<Buffer> {
  const [ours, theirs] = duplexPair()
  proxy.accept(theirs)
  const parts: Buffer[] = []
  ours.on('data', (part: Buffer) => parts.push(part))
  ours.on('error', () => {})
  const over = Promise.race([once(ours, 'end'), once(theirs, 'close')])
  ours.write(request)
  await over
  // What was sent before a connection broke is still on its way.
  await new Promise((resolve) => setImmediate(resolve))
  ours.destroy()
  theirs.destroy()
  return Buffer.concat(parts)
}

export function get(archive: string, path: string, headers = ''): string {
  return `GET http://archive.invalid/${archive}/${path} HTTP/1.1\r\nHost: archive.invalid\r\nConnection: close\r\n${headers}\r\n`
}

export function split(answer: Buffer): { readonly head: string; readonly body: Buffer } {
  const end = answer.indexOf('\r\n\r\n')
  return { head: answer.subarray(0, end).toString('latin1'), body: answer.subarray(end + 4) }
}
