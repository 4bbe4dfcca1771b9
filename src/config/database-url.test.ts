import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { databaseUrl } from './database-url.ts'
import { readSettings } from './settings.ts'

const URL = 'postgres://bitwitness:s3cret@database/bitwitness'
let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-database-'))
  file = path.join(folder, 'url')
})
afterEach(() => rm(folder, { recursive: true }))

const given = (environment: Record<string, string>) => databaseUrl(readSettings(environment))

it('is none, what the variable says, or what the file says', async () => {
  await writeFile(file, `${URL}\n`)
  expect(await given({})).toBe(null)
  expect((await given({ DATABASE_URL: URL }))?.reveal()).toBe(URL)
  expect((await given({ DATABASE_URL_FILE: file }))?.reveal()).toBe(URL)
})

it('is not said by both', async () => {
  await expect(given({ DATABASE_URL: URL, DATABASE_URL_FILE: file })).rejects.toMatchObject({ code: 'setting-conflict' })
})

it.each([
  ['is not there', null],
  ['is empty', ''],
  ['has two lines', `${URL}\n${URL}\n`],
  ['has a password alone', 's3cret'],
  ['is too large', `${URL}?a=${'a'.repeat(5000)}`],
])('is not read from a file that %s, and the file is not repeated', async (_, text) => {
  if (text !== null) await writeFile(file, text)
  const refused = await given({ DATABASE_URL_FILE: file }).then(
    () => null,
    (error: unknown) => error,
  )
  expect(refused).toMatchObject({ code: 'database-url-unreadable' })
  expect(inspect(refused, { depth: 9 })).not.toContain('s3cret')
})
