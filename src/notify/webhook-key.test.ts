import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openWebhookRoot } from './webhook-key.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-webhook-'))
})
afterEach(() => rm(folder, { recursive: true }))

it('is made once, for its owner only, and stays what it is', async () => {
  const [one, other] = await Promise.all([openWebhookRoot(folder), openWebhookRoot(folder)])
  expect(one).toHaveLength(32)
  expect(other).toEqual(one)
  expect(await openWebhookRoot(folder)).toEqual(one)
  const file = path.join(folder, 'webhook.key')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(await readFile(file, 'utf8')).toBe(`${Buffer.from(one).toString('base64')}\n`)
})

it('is not taken where others may read it, or where it is none', async () => {
  const file = path.join(folder, 'webhook.key')
  for (const text of ['', 'short', Buffer.alloc(31).toString('base64'), `${Buffer.alloc(32).toString('base64')}x`]) {
    await writeFile(file, text, { mode: 0o600 })
    await expect(openWebhookRoot(folder)).rejects.toMatchObject({ code: 'key-unreadable' })
  }
  await chmod(file, 0o644)
  await expect(openWebhookRoot(folder)).rejects.toMatchObject({ code: 'key-not-private' })
})
