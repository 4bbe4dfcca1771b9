import { publicGoodSnapshot } from '../attestations/verify/public-good.ts'
import { MAX_TRUSTED_ROOT, parseTrustedRoot, type TrustedRoot } from '../attestations/verify/trusted-root.ts'
import { readNamedFile } from '../verifier/bytes/named-file.ts'
import type { Settings } from './config/settings.ts'

/** What signatures are held against when a guest is asked about: the root that the service itself signs under, read once. */
export function gateRoot({ trustedRoot: file }: Pick<Settings, 'trustedRoot'>): () => Promise<TrustedRoot> {
  let root: Promise<TrustedRoot> | undefined
  return async () => {
    root ??= read(file)
    try {
      return await root
    } catch (error) {
      // It may be put right: the next question reads it again.
      root = undefined
      throw error
    }
  }
}

async function read(file: string | null): Promise<TrustedRoot> {
  if (file === null) return publicGoodSnapshot()
  const signal = new AbortController().signal
  return parseTrustedRoot(await readNamedFile(file, { what: 'the trusted root', maxBytes: MAX_TRUSTED_ROOT, signal }))
}
