import { access, constants, stat } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../../verifier/model/failure.ts'
import { shownName } from '../../verifier/model/shown-name.ts'

/**
 * Requires that a report can be written to the file that --report names, before anything costs time. Its folder must be there, but for
 * `made`, a folder that the command makes. Failure: `report-unwritable`.
 */
export async function requireReportFile(file: string | undefined, made?: string): Promise<void> {
  if (file === undefined) return
  const folder = path.resolve(path.dirname(file))
  try {
    if ((await stat(file).catch(() => undefined))?.isDirectory()) throw new Error('a folder')
    if (made !== undefined && folder === path.resolve(made)) return
    await access(`${folder}/`, constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new Failure({
      code: 'report-unwritable',
      message: `the report cannot be written to ${shownName(file)}`,
      hint: 'name a file in a folder that is there and that this user may write to',
      cause,
    })
  }
}
