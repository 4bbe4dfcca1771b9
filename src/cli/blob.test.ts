import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import { withPrefix } from '../../verifier/model/digest.ts'
import { readBlob } from '../app/read-blob.ts'
import { openScratchRoom, type ScratchRoom } from '../scratch-room.ts'
import { ran } from './testing/terminal.ts'

let folder: string
let room: ScratchRoom
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-blob-'))
  room = await openScratchRoom()
})
afterEach(async () => {
  await room[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const LOG = '\u001b[2Jbuilding\tä\r\n\u202eE: no such package\n'
const reading = (blobs: BlobStore) => ({ readBlob: (command: Parameters<typeof readBlob>[1]) => readBlob(blobs, command) })
const at = (name: string): string => path.join(folder, name)

async function stored(text: string): Promise<string> {
  const { sha256 } = await room.blobs.put(
    (async function* () {
      yield Buffer.from(text)
    })(),
  )
  return withPrefix(sha256)
}

describe('blob', () => {
  it('prints the bytes as they are', async () => {
    expect(await ran(['blob', await stored(LOG)], reading(room.blobs))).toMatchObject({ exit: 0, stdout: LOG, stderr: '' })
  })

  it('shows a terminal nothing that moves it, a character that is cut in two included', async () => {
    const bytes = Buffer.from(LOG)
    const cut = bytes.indexOf(Buffer.from('ä')) + 1
    const inTwo: BlobStore = {
      ...room.blobs,
      open: async () =>
        (async function* () {
          yield bytes.subarray(0, cut)
          yield bytes.subarray(cut)
        })(),
    }
    const { stdout } = await ran(['blob', digestOf(bytes)], reading(inTwo), { terminal: true })
    expect(stdout).toBe('\\u{1b}[2Jbuilding\tä\\u{d}\n\\u{202e}E: no such package\n')
  })

  it('writes a file, or says that it could not', async () => {
    const digest = await stored(LOG)
    const written = await ran(['blob', digest, '-o', at('log')], reading(room.blobs))
    expect([written.exit, written.stdout, await readFile(at('log'), 'utf8')]).toEqual([0, `${digest}  ${LOG_SIZE} B\n`, LOG])
    const failed = await ran(['blob', digest, '-o', at('absent/log'), '--json'], reading(room.blobs))
    expect([failed.exit, JSON.parse(failed.stdout)]).toMatchObject([3, { code: 'blob-unwritten' }])
    expect(await readdir(folder)).toEqual(['log'])
  })

  it('says with --json that it is there whole, and nothing else', async () => {
    const digest = await stored(LOG)
    const { exit, stdout } = await ran(['blob', digest, '--json'], reading(room.blobs))
    expect([exit, JSON.parse(stdout)]).toEqual([0, { schema: 'bitwitness/blob/v1', sha256: digest.slice(7), size: LOG_SIZE }])
  })

  it('takes damaged bytes for no blob, and leaves no file of them', async () => {
    const digest = await stored(LOG)
    const hex = digest.slice(7)
    await writeFile(path.join(room.path, 'blobs', 'sha256', hex.slice(0, 2), hex), LOG.replace('no such', 'another'))
    const { exit, stderr } = await ran(['blob', digest, '-o', at('log')], reading(room.blobs))
    expect([exit, stderr]).toEqual([3, expect.stringContaining('(blob-damaged)')])
    expect(await readdir(folder)).toEqual([])
    expect(await ran(['blob', digest], reading(room.blobs))).toMatchObject({ exit: 3, stdout: '' })
  })

  it('says that there is none, and what is no digest', async () => {
    expect(await ran(['blob', `sha256:${'ab'.repeat(32)}`], reading(room.blobs))).toMatchObject({
      exit: 3,
      stdout: '',
      stderr: expect.stringContaining('(blob-missing)'),
    })
    expect(await ran(['blob', '../../keys'], reading(room.blobs))).toMatchObject({ exit: 2, opened: 0 })
  })
})

const LOG_SIZE = Buffer.byteLength(LOG)
