import type { Page } from '../store/page.ts'
import type { RegisteredWorker, TokenRequest, TokenView, WorkerRequest } from './operator-documents.ts'

/**
 * What an operator does by commands: on the store itself, or through the server that has it open. Lists come in pages, newest first, by
 * the cursor of the page before.
 */
export interface Operator {
  /** The only time that the secret of a token shows. */
  createToken(request: TokenRequest): Promise<{ readonly secret: string; readonly token: TokenView }>
  tokens(cursor: string | null): Promise<Page<TokenView>>
  /** Again changes nothing. Fails with `token-unknown`. */
  revokeToken(id: string): Promise<TokenView>
  /** Fails with `worker-exists`. */
  addWorker(request: WorkerRequest): Promise<RegisteredWorker>
  workers(cursor: string | null): Promise<Page<RegisteredWorker>>
  /** By its name. Again changes nothing. Fails with `worker-unknown`. */
  revokeWorker(name: string): Promise<RegisteredWorker>
}
