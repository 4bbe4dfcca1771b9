import { readSmallFile } from '../../../verifier/bytes/small-file.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { shownName } from '../../../verifier/model/shown-name.ts'
import { utf8Text } from '../../../verifier/model/utf8-text.ts'
import type { AppEnvironment } from './deploy-target.ts'

const MAX_BYTES = 64 * 1024
const MOST = 256

/**
 * Environment of an app from a file: `NAME=VALUE` a line, the value as it stands up to the end of the line; empty lines, and those that begin with
 * `#`, say nothing. Sorted by name. What is wrong is told by its line, never by its text. Fails with `environment-unread` and
 * `environment-malformed`.
 */
export async function readEnvironmentFile(file: string, signal: AbortSignal): Promise<AppEnvironment> {
  const read = await readSmallFile(file, { maxBytes: MAX_BYTES, signal })
  if (read.bytes !== null) return environmentIn(read.bytes)
  throw new Failure({
    code: 'environment-unread',
    message: `the environment cannot be read from ${shownName(file)}`,
    hint: 'give a file with NAME=VALUE a line, of at most 64 KiB',
    cause: read.cause,
  })
}

/** Fails with `environment-malformed`. */
export function environmentIn(bytes: Uint8Array): AppEnvironment {
  const text = utf8Text(bytes)
  if (text === undefined) throw malformed('it is not UTF-8')
  const values = new Map<string, string>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]{0,127})=([^\0\r]*)$/.exec(line) ?? []
    if (name === undefined || value === undefined) throw malformed(`line ${index + 1} is no NAME=VALUE`)
    if (values.has(name)) throw malformed(`line ${index + 1} has a name for the second time`)
    values.set(name, value)
  }
  if (values.size > MOST) throw malformed(`it has more than ${MOST} names`)
  return [...values].map(([name, value]) => ({ name, value })).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function malformed(why: string): Failure {
  return new Failure({
    code: 'environment-malformed',
    message: `the environment cannot be read: ${why}`,
    hint: 'write NAME=VALUE a line, each name once; quotes belong to the value',
  })
}
