/** Fields of one raw header as text or bytes, put down as they are: for archives that no honest writer makes. */
export type RawFields = {
  readonly name?: string
  readonly mode?: string
  readonly uid?: string
  readonly gid?: string
  readonly size?: string
  readonly mtime?: string
  readonly type?: string
  readonly link?: string
  readonly magic?: string
  readonly userName?: string
  readonly groupName?: string
  readonly major?: string
  readonly minor?: string
  readonly prefix?: string
  readonly tail?: string
  readonly checksum?: string
}

/** One 512-byte header; what is not given is a plain file `./f` of root's. */
export function rawHeader(fields: RawFields = {}): Buffer {
  const block = Buffer.alloc(512)
  const put = (at: number, text: string): void => void block.write(text, at, 'latin1')
  put(0, fields.name ?? './f')
  put(100, fields.mode ?? '0000644\0')
  put(108, fields.uid ?? '0000000\0')
  put(116, fields.gid ?? '0000000\0')
  put(124, fields.size ?? '00000000000\0')
  put(136, fields.mtime ?? '14524770400\0')
  put(156, fields.type ?? '0')
  put(157, fields.link ?? '')
  put(257, fields.magic ?? 'ustar\x0000')
  put(265, fields.userName ?? '')
  put(297, fields.groupName ?? '')
  put(329, fields.major ?? '0000000\0')
  put(337, fields.minor ?? '0000000\0')
  put(345, fields.prefix ?? '')
  put(500, fields.tail ?? '')
  put(148, ' '.repeat(8))
  const sum = block.reduce((total, byte) => total + byte, 0)
  put(148, fields.checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `)
  return block
}

export function rawSize(size: number): string {
  return `${size.toString(8).padStart(11, '0')}\0`
}

/** A header with content, zero-padded. */
export function rawMember(fields: RawFields, content: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from(content as string, 'latin1')
  return Buffer.concat([rawHeader({ size: rawSize(bytes.length), ...fields }), bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
}

export function rawPax(records: readonly (readonly [key: string, value: string])[], type = 'x'): Buffer {
  return rawMember({ name: './PaxHeaders/f', type }, records.map(([key, value]) => paxRecord(key, value)).join(''))
}

function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  let length = rest.length
  while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length
  return `${length}${rest}`
}

export const RAW_END: Buffer = Buffer.alloc(1024)

export function rawTar(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...parts, RAW_END])
}
