import { access, constants } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../../verifier/model/failure.ts'
import { type DownloadRules, downloadFile } from './download.ts'
import { checkUrl } from './request.ts'

/** A slip in a path or URL is told before anything is built. Rejects with `claimed-unreadable` or as `checkUrl` throws. */
export async function requireClaimed(location: string, rules: DownloadRules): Promise<void> {
  if (isUrl(location)) checkUrl(location, rules)
  else await requireReadable(location)
}

/** Where the claimed bytes lie: the path that was given, or the file in `folder` that was fetched. Rejects as `downloadFile` does. */
export async function fetchClaimed(location: string, folder: string, rules: DownloadRules, signal: AbortSignal): Promise<string> {
  if (!isUrl(location)) return location
  const file = path.join(folder, 'downloaded')
  await downloadFile(location, file, rules, signal)
  return file
}

function isUrl(location: string): boolean {
  return /^https?:\/\//i.test(location)
}

async function requireReadable(file: string): Promise<void> {
  await access(file, constants.R_OK).catch((cause: unknown) => {
    throw new Failure({
      code: 'claimed-unreadable',
      message: 'the claimed bytes cannot be read',
      hint: 'give the path of the claimed file, or its URL',
      cause,
    })
  })
}
