import { readSmallFile } from '../../../verifier/bytes/small-file.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { shownName } from '../../../verifier/model/shown-name.ts'
import { MOST_READ } from './compose-document.ts'
import { failedCompose } from './compose-failures.ts'

/** The bytes of an app-compose or a Compose file. Fails with `compose-unread` and `compose-too-large`. */
export async function readComposeFile(file: string, signal: AbortSignal): Promise<Uint8Array> {
  const read = await readSmallFile(file, { maxBytes: MOST_READ, signal })
  if (read.bytes !== null) return read.bytes
  if (read.why === 'too-large') throw failedCompose('compose-too-large')
  throw new Failure({
    code: 'compose-unread',
    message: `${shownName(file)} cannot be read`,
    hint: 'give the app-compose.json, or the Compose file, of one app',
    cause: read.cause,
  })
}
