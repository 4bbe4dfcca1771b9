import { Failure } from '../model/failure.ts'
import { paddingAfter } from '../tar/bytes.ts'
import { encodeTarHeader, endPadding } from '../tar/encode.ts'
import { IMAGE_TAR_LIMITS, type TarLimits } from '../tar/limits.ts'
import { readTar } from '../tar/read.ts'

const GIB = 1024 ** 3
const ROOT_LIMITS: TarLimits = { ...IMAGE_TAR_LIMITS, maxEntries: 200_000, maxFileSize: 2 * GIB, maxTotalSize: 8 * GIB }

const LIST = 'usr/lib/bitwitness/packages'
const MAX_LIST = 1024 * 1024

export type RootReading = {
  /** The root's tar, to be read to its end. */
  readonly bytes: AsyncIterable<Uint8Array>
  /** The list of packages in it; throws `builder-root-malformed` where the root that was read has none. */
  packages(): Uint8Array
}

/**
 * Passes on the tar that mmdebstrap wrote, less what is in `dev/`: those entries come from mmdebstrap and differ between its versions,
 * and a container has a `/dev` of its own. Keeps the list of packages on the way.
 */
export function readRoot(tar: AsyncIterable<Uint8Array>): RootReading {
  let list: Uint8Array | undefined
  return {
    bytes: rewrite(tar, (bytes) => {
      list = bytes
    }),
    packages() {
      if (list === undefined) throw malformed()
      return list
    },
  }
}

async function* rewrite(tar: AsyncIterable<Uint8Array>, found: (list: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const member of readTar(tar, ROOT_LIMITS)) {
    const path = Buffer.from(member.path).toString('latin1')
    if (path.startsWith('dev/')) continue
    const header = encodeTarHeader(member)
    yield header
    size += header.length
    if (member.type !== 'file') continue
    const isList = path === LIST
    if (isList && member.size > MAX_LIST) throw malformed()
    const kept: Uint8Array[] = []
    for await (const part of member.body) {
      // The reader's slices live only until the next one is asked for.
      if (isList) kept.push(Buffer.from(part))
      yield part
    }
    if (isList) found(Buffer.concat(kept))
    const padding = paddingAfter(member.size)
    if (padding > 0) yield new Uint8Array(padding)
    size += member.size + padding
  }
  yield new Uint8Array(endPadding(size))
}

function malformed(): Failure {
  return new Failure({
    code: 'builder-root-malformed',
    message: 'the root that mmdebstrap wrote holds no usable list of packages',
    hint: 'make the builder again; if it happens again, mkosi/builder/customize.sh is not the one that belongs to this version',
    audience: 'operator',
  })
}
