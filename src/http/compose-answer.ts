import type { Context } from 'hono'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { wholeBlob } from '../app/whole-blob.ts'
import type { HttpEnv, HttpPorts } from './http-ports.ts'

/** The bytes of an app-compose as they are measured, for whoever saves them: a stranger wrote them. */
export async function answerCompose(c: Context<HttpEnv>, { blobs }: Pick<HttpPorts, 'blobs'>, sha256: Sha256) {
  return c.body(new Uint8Array(await wholeBlob(blobs, sha256)), 200, {
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': 'attachment; filename="app-compose.json"',
  })
}
