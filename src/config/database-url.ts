import { readSmallFile } from '../../verifier/bytes/small-file.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { Secret } from '../../verifier/model/secret.ts'
import { parseDatabaseUrl } from './service-settings.ts'
import type { Settings } from './settings.ts'

const MAX_BYTES = 4096

/** The database that the settings name, themselves or in a file; null: the embedded one. Failures: `setting-conflict`, `database-url-unreadable`. */
export async function databaseUrl({
  databaseUrl: url,
  databaseUrlFile: file,
}: Pick<Settings, 'databaseUrl' | 'databaseUrlFile'>): Promise<Secret | null> {
  if (file === null) return url
  if (url !== null)
    throw new Failure({ code: 'setting-conflict', message: 'DATABASE_URL and DATABASE_URL_FILE are both set', hint: 'unset one of them' })
  const read = await readSmallFile(file, { maxBytes: MAX_BYTES })
  const found = read.bytes === null ? undefined : parseDatabaseUrl(read.bytes.toString('utf8').trim())
  if (found !== undefined) return found
  throw new Failure({
    code: 'database-url-unreadable',
    message: 'the file that DATABASE_URL_FILE names cannot be read, or has no URL of a PostgreSQL server in it',
    hint: 'write postgres://USER:PASSWORD@HOST:PORT/DATABASE into it and nothing else, readable for whoever runs this',
    audience: 'operator',
  })
}
