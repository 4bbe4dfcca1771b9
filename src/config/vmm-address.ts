import path from 'node:path'
import { parseServerAddress, SERVER_FORM } from './server-address.ts'

/** Where dstack-vmm listens. With a socket of this machine the host of the URL means nothing. */
export type VmmPlace = { readonly url: URL; readonly socketPath?: string }

export const VMM_FORM = `unix: and the path of a socket, or ${SERVER_FORM}`
/** Of the kernel, with the zero at its end. */
const MOST_PATH = 107

/** Undefined where it is none. */
export function parseVmmAddress(text: string): VmmPlace | undefined {
  if (!text.startsWith('unix:')) {
    const url = parseServerAddress(text)
    return url === undefined ? undefined : { url }
  }
  const socketPath = path.resolve(text.slice('unix:'.length).replace(/^\/\//, ''))
  const fits = text.length > 'unix:'.length && Buffer.byteLength(socketPath) <= MOST_PATH && !socketPath.includes('\0')
  return fits ? { url: new URL('http://localhost/'), socketPath } : undefined
}
