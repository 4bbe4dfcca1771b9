import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile, stat, writeFile } from 'node:fs/promises'

/** What the demonstration changes in files, and how it looks at them. Failures are sentences for whoever runs it. */
export class DemoFailed extends Error {}

/** Turns a letter of a text in a file into its other case. */
export async function flipByte(file: string, within: string): Promise<void> {
  const at = await find(file, Buffer.from(within))
  await using handle = await open(file, 'r+')
  const byte = Buffer.alloc(1)
  await handle.read(byte, 0, 1, at)
  byte.writeUInt8(byte.readUInt8(0) ^ 0x20, 0)
  await handle.write(byte, 0, 1, at)
}

async function find(file: string, text: Buffer): Promise<number> {
  let before = Buffer.alloc(0)
  let offset = 0
  for await (const part of createReadStream(file, { highWaterMark: 1 << 20 })) {
    const window = Buffer.concat([before, part as Buffer])
    const at = window.indexOf(text)
    if (at >= 0) return offset - before.length + at
    offset += (part as Buffer).length
    before = window.subarray(-text.length)
  }
  throw new DemoFailed(`the artifact of ${(await stat(file)).size} bytes does not hold the text to change`)
}

export async function replaceIn(file: string, pattern: RegExp, replacement: string): Promise<void> {
  const before = await readFile(file, 'utf8')
  const after = before.replace(pattern, replacement)
  if (after === before) throw new DemoFailed('the recipe does not name the package to change')
  await writeFile(file, after)
}

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(part as Buffer)
  return hash.digest('hex')
}
