import { jsonOfFile } from '../../../verifier/bytes/named-file.ts'
import { readSmallFile } from '../../../verifier/bytes/small-file.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { shownName } from '../../../verifier/model/shown-name.ts'
import { type BootInfo, MOST_MESSAGE_BYTES, readBootInfo } from './boot-info.ts'

/** What a KMS or a gateway posts, from a file. Fails with `boot-info-unread`, `boot-info-malformed`, and as `parseStrictJson` does. */
export async function readBootFile(file: string, signal: AbortSignal): Promise<BootInfo> {
  const read = await readSmallFile(file, { maxBytes: MOST_MESSAGE_BYTES, signal })
  if (read.bytes === null)
    throw new Failure({
      code: 'boot-info-unread',
      message: `${shownName(file)} cannot be read`,
      hint: 'give the JSON that a KMS or a gateway posts',
      cause: read.cause,
    })
  return readBootInfo(jsonOfFile(read.bytes, file))
}
