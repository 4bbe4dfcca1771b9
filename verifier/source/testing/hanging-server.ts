import { readdirSync, readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type GitServer, serveGit } from './git-server.ts'

/** Lists refs as it should, and then sends the beginning of an answer that never goes on; `hung` is when it has. */
export async function serveHanging(root: string): Promise<{ server: GitServer; hung: Promise<void> }> {
  const { promise: hung, resolve } = Promise.withResolvers<void>()
  let posts = 0
  const intercept = (request: IncomingMessage, response: ServerResponse): boolean => {
    if (request.method !== 'POST' || (posts += 1) < 2) return false
    response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' })
    response.write('000dpackfile\n')
    resolve()
    return true
  }
  return { server: await serveGit({ root, intercept }), hung }
}

/** Commands of the processes whose home lies in a folder: git's helpers do not name it on their command line. */
export function processesOf(folder: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`HOME=${folder}`)) return []
      return [readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ')]
    } catch {
      return []
    }
  })
}
