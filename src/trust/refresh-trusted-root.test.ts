import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { refreshTrustedRoot } from './refresh-trusted-root.ts'
import { tufRepository } from './testing/tuf-repository.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-tuf-'))
})
afterEach(() => rm(folder, { recursive: true }))

type Repository = Awaited<ReturnType<typeof tufRepository>>
const refreshed = async ({ url, root }: Pick<Repository, 'url' | 'root'>): Promise<string> => {
  const rootFile = path.join(folder, 'root.json')
  await writeFile(rootFile, root)
  const bytes = await refreshTrustedRoot({ cache: path.join(folder, 'cache'), repository: { url, rootFile } })
  return Buffer.from(bytes).toString()
}
const notRefreshed = expect.objectContaining({ code: 'trusted-root-not-refreshed' })

it("gives the repository's trusted root of today", async () => {
  await using repository = await tufRepository('{"day":1}')
  expect(await refreshed(repository)).toBe('{"day":1}')
  repository.publish('{"day":2}', 2)
  expect(await refreshed(repository)).toBe('{"day":2}')
})

it('takes no older state than it has seen', async () => {
  await using repository = await tufRepository('{"day":1}')
  repository.publish('{"day":3}', 3)
  expect(await refreshed(repository)).toBe('{"day":3}')
  repository.publish('{"day":2}', 2)
  await expect(refreshed(repository)).rejects.toThrowError(notRefreshed)
})

it('takes nothing that its root did not sign, and no other bytes than were signed', async () => {
  await using repository = await tufRepository('{}')
  await using stranger = await tufRepository('{"stranger":true}')
  await expect(refreshed({ url: stranger.url, root: repository.root })).rejects.toThrowError(notRefreshed)
  for (const [name, text] of repository.files) if (name.startsWith('/targets/')) repository.files.set(name, `${text} `)
  await expect(refreshed(repository)).rejects.toThrowError(notRefreshed)
})

it('says so where the repository cannot be had', async () => {
  const { url, root } = await (async () => {
    await using closed = await tufRepository('{}')
    return { url: closed.url, root: closed.root }
  })()
  await expect(refreshed({ url, root })).rejects.toThrowError(notRefreshed)
})
