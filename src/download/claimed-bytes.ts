import { access, constants } from 'node:fs/promises'
import { Failure } from '../../verifier/model/failure.ts'
import { shownName } from '../../verifier/model/shown-name.ts'
import { isUrl } from './bring-file.ts'
import type { DownloadRules } from './download.ts'
import { checkUrl } from './request.ts'

/** A slip in a path or URL is told before anything is built. Rejects with `claimed-unreadable` or as `checkUrl` throws. */
export async function requireClaimed(location: string, rules: DownloadRules): Promise<void> {
  if (isUrl(location)) checkUrl(location, rules)
  else await requireReadable(location)
}

async function requireReadable(file: string): Promise<void> {
  await access(file, constants.R_OK).catch((cause: unknown) => {
    throw new Failure({
      code: 'claimed-unreadable',
      message: `the claimed bytes ${shownName(file)} cannot be read`,
      hint: 'give the path of the claimed file, or its URL',
      cause,
    })
  })
}
