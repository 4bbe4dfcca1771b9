import { beforeEach } from 'vitest'
import { type PinDeps, pinSource } from '../pin-source.ts'
import type { PinnedTree } from '../pinned-tree.ts'
import { parseSourceRef, type SourceAccess } from '../source-ref.ts'
import { BareRepository } from './objects.ts'
import { temporary } from './temporary.ts'

/** What a server of a test's own needs: it speaks http, on the loopback. */
export const SERVED_ACCESS: SourceAccess = { files: false, localRepositories: false, plainHttp: true, privateHosts: true }

/** Of the current test: a folder to serve, with the repository `a.git` of one file in it, and an empty folder to pin in. */
export const served: { root: string; scratch: string } = { root: '', scratch: '' }

/** Fills `served` before each test of the file. */
export function serveOneFile(): void {
  beforeEach(async () => {
    served.root = await temporary()
    served.scratch = await temporary()
    const repository = new BareRepository(served.root)
    repository.commit(repository.tree(['100644', 'a', repository.object('blob', 'content')]))
  })
}

/** Pins as a stranger would who is allowed to ask the loopback, where every host name leads. */
export function pinServed(url: string, deps: Partial<PinDeps> = {}): Promise<PinnedTree> {
  const access = deps.access ?? SERVED_ACCESS
  return pinSource(parseSourceRef(url, access), { scratch: served.scratch, access, resolve: async () => ['127.0.0.1'], ...deps })
}
