import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bringFile } from './bring-file.ts'
import { requireClaimed } from './claimed-bytes.ts'
import { downloadRules } from './rules.ts'
import { sending, serveFiles } from './testing/file-server.ts'

const strict = downloadRules({ plainHttp: false, privateHosts: false }, { maxBytes: 100, seconds: 20 })
const open = downloadRules({ plainHttp: true, privateHosts: true }, { maxBytes: 100, seconds: 20 })
const never = new AbortController().signal

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-claimed-'))
  await writeFile(path.join(folder, 'image.tar'), 'x')
})
afterEach(() => rm(folder, { recursive: true }))

it('a file that can be read, and a URL that could be fetched from, are taken before anything is built', async () => {
  await expect(requireClaimed(path.join(folder, 'image.tar'), strict)).resolves.toBeUndefined()
  // Nobody is asked yet.
  await expect(requireClaimed('https://host.invalid/image.tar', strict)).resolves.toBeUndefined()
  await expect(requireClaimed('http://host.invalid/image.tar', open)).resolves.toBeUndefined()
})

it.each([
  ['absent.tar', 'claimed-unreadable'],
  ['ftp://host.invalid/image.tar', 'claimed-unreadable'],
  ['http://host.invalid/image.tar', 'download-plain-http'],
  ['HTTP://host.invalid/image.tar', 'download-plain-http'],
  ['https://user:secret@host.invalid/image.tar', 'download-url-malformed'],
])('%s is refused before anything is built: %s', async (location, code) => {
  await expect(requireClaimed(location, strict)).rejects.toMatchObject({ code })
})

it('a file is used where it lies, and what a URL leads to is brought', async () => {
  const file = path.join(folder, 'image.tar')
  expect(await bringFile(file, folder, strict, never)).toBe(file)
  await using server = await serveFiles(sending('theirs'))
  const brought = await bringFile(`http://127.0.0.1:${server.port}/image.tar`, folder, open, never)
  expect([path.dirname(brought), await readFile(brought, 'utf8')]).toEqual([folder, 'theirs'])
  await expect(bringFile(`http://127.0.0.1:${server.port}/`, folder, strict, never)).rejects.toMatchObject({
    code: 'download-plain-http',
  })
})
