import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PolicyFolder } from './policy-folder.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-policies-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('a folder of policies', () => {
  it('gives the names of its policies, and what else lies there is none', async () => {
    for (const file of ['b.yaml', 'a-1.yaml', 'B.yaml', 'c.yml', '.d.yaml']) await writeFile(path.join(folder, file), '')
    const policies = await PolicyFolder.open(folder)
    expect([await policies.names(), (await policies.read('b'))?.length, await policies.read('c')]).toEqual([['a-1', 'b'], 0, undefined])
  })

  it('is none where nothing is named', async () => {
    expect(await (await PolicyFolder.open(null)).names()).toEqual([])
  })

  it.each(['none', 'file'])('that is not there is refused at the start: %s', async (name) => {
    await writeFile(path.join(folder, 'file'), '')
    await expect(PolicyFolder.open(path.join(folder, name))).rejects.toMatchObject({ code: 'policies-unreadable', retryable: false })
  })

  it('that goes away later is told to whoever asks', async () => {
    const gone = path.join(folder, 'gone')
    await mkdir(gone)
    const policies = await PolicyFolder.open(gone)
    await rm(gone, { recursive: true })
    await expect(policies.names()).rejects.toMatchObject({ code: 'policy-unread' })
  })
})
