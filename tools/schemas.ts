import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { AttemptEvent, CheckReport, InputLock, VerificationReport } from '../verifier/index.ts'

/** The published documents: file in schemas/, title, schema. */
const DOCUMENTS = [
  { file: 'verification-report-v1.json', title: 'Verification report, version 1', schema: VerificationReport },
  { file: 'check-report-v1.json', title: 'Check report, version 1', schema: CheckReport },
  { file: 'input-lock-v1.json', title: 'Input lock, version 1', schema: InputLock },
  { file: 'event-v1.json', title: 'Event of an attempt, version 1', schema: AttemptEvent },
] as const

export const schemaFolder = path.join(import.meta.dirname, '..', 'schemas')

/** JSON Schema (draft 2020-12) of every published document, by file name. */
export function publishedSchemas(): ReadonlyMap<string, string> {
  return new Map(
    DOCUMENTS.map(({ file, title, schema }) => {
      const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12' })
      return [file, `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`]
    }),
  )
}

/** Files of schemas/ whose text is not what the code says, in order. */
export async function staleSchemas(): Promise<string[]> {
  const stale: string[] = []
  for (const [file, text] of publishedSchemas()) {
    const current = await readFile(path.join(schemaFolder, file), 'utf8').catch(() => undefined)
    if (current !== text) stale.push(file)
  }
  return stale
}

export async function writeSchemas(): Promise<void> {
  for (const [file, text] of publishedSchemas()) await writeFile(path.join(schemaFolder, file), text)
}
