import { once } from 'node:events'
import { chmod, mkdtemp, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import { Failure } from '../../verifier/model/failure.ts'
import type { Operator } from '../app/service/operator.ts'
import { controlApp } from './control-app.ts'
import { SOCKET_NAME } from './control-protocol.ts'

/** `sun_path` of unix(7), with the zero at its end. */
const MAX_PATH = 107

/**
 * Answers the operator's commands of this home over a socket in it, until it is disposed of. Nobody but the user who runs it may open the
 * socket, from its first moment on: it is made in a folder that is theirs alone, and comes to its place with mode 0600. One of a server
 * that was killed is replaced; two at once are ruled out by the lock of the database. Fails with `control-unavailable`.
 */
export async function controlServer({ operator, home }: { readonly operator: Operator; readonly home: string }): Promise<AsyncDisposable> {
  const server = createAdaptorServer({ fetch: controlApp(operator).fetch, overrideGlobalObjects: false })
  const socket = path.join(home, SOCKET_NAME)
  let room: string | undefined
  try {
    room = await mkdtemp(path.join(home, '.control-'))
    const made = path.join(room, 's')
    if (Buffer.byteLength(made) > MAX_PATH) throw new Error('too long for the address of a socket')
    server.listen(made)
    await once(server, 'listening')
    await chmod(made, 0o600)
    await rename(made, socket)
  } catch (cause) {
    server.close()
    throw unavailable(cause)
  } finally {
    if (room !== undefined) await rm(room, { recursive: true, force: true })
  }
  return {
    [Symbol.asyncDispose]: async () => {
      await rm(socket, { force: true })
      const closed = once(server, 'close')
      server.close()
      if ('closeAllConnections' in server) server.closeAllConnections()
      await closed
    },
  }
}

function unavailable(cause: unknown): Failure {
  return new Failure({
    code: 'control-unavailable',
    message: 'no socket for the operator’s commands can be made in the home',
    hint: 'set BITWITNESS_HOME to a shorter path (at most 90 bytes), on a file system that has sockets',
    audience: 'operator',
    cause,
  })
}
