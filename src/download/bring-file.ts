import path from 'node:path'
import { type DownloadRules, downloadFile } from './download.ts'

/** Where something lies that was given by path or URL: that path, or the file in `folder` that was fetched. Rejects as `downloadFile` does. */
export async function bringFile(location: string, folder: string, rules: DownloadRules, signal: AbortSignal): Promise<string> {
  if (!isUrl(location)) return location
  const file = path.join(folder, 'downloaded')
  await downloadFile(location, file, rules, signal)
  return file
}

export function isUrl(location: string): boolean {
  return /^https?:\/\//i.test(location)
}
