import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type ReadProof, readProof } from '../../attestations/proof/read-proof.ts'
import type { CarriedRole } from '../../attestations/proof/roles.ts'
import { namedChunks } from '../../verifier/bytes/named-file.ts'

/** A proof that was read, with the parts that are used as files in a folder of ours, under names of ours. */
export type OpenedProof = ReadProof & {
  readonly files: {
    readonly lock: string | null
    readonly builderLock: string | null
    readonly source: string | null
    readonly inputs: string | null
  }
}

/** What is put down of what a proof carries; manifests are held against their digests only. */
const KEPT: Readonly<Partial<Record<CarriedRole, string>>> = { source: 'source.tar', inputs: 'inputs.tar' }

/** Reads a proof, once, into a private folder. Failures: `file-unreadable`, and those of `readProof`. */
export async function openProof(file: string, folder: string, signal: AbortSignal): Promise<OpenedProof> {
  const kept = new Map<CarriedRole, string>()
  const read = await readProof(namedChunks(file, { what: 'the proof', signal }), {
    async carry({ role }, bytes) {
      const name = KEPT[role]
      if (name === undefined) for await (const _ of bytes);
      else {
        kept.set(role, path.join(folder, name))
        await pipeline(bytes, createWriteStream(path.join(folder, name), { flags: 'wx', mode: 0o600 }), { signal })
      }
    },
  })
  const { lock, builder } = read.proof.content
  const put = async (name: string, bytes: Uint8Array | null): Promise<string | null> => {
    if (bytes === null) return null
    await writeFile(path.join(folder, name), bytes, { flag: 'wx', mode: 0o600 })
    return path.join(folder, name)
  }
  return {
    ...read,
    files: {
      lock: await put('inputs.lock.json', lock),
      builderLock: await put('builder.lock.json', builder?.lock ?? null),
      source: kept.get('source') ?? null,
      inputs: kept.get('inputs') ?? null,
    },
  }
}
