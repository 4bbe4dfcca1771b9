import { createRequire } from 'node:module'
import { Failure } from '../../verifier/model/failure.ts'
import { parseTrustedRoot, type TrustedRoot } from './trusted-root.ts'

/** The TUF repository of the public-good instance, by which its seeds are filed. */
export const PUBLIC_GOOD_REPOSITORY = 'https://tuf-repo-cdn.sigstore.dev'

type Seeds = Readonly<Record<string, { readonly targets?: Readonly<Record<string, string>> } | undefined>>

/**
 * The trusted root of the public-good instance as it was when `@sigstore/tuf` was released: no network is asked. Keys that were
 * rotated in or revoked since then are not known to it; refreshing over TUF gets today's.
 */
export function publicGoodSnapshot(): TrustedRoot {
  return parseTrustedRoot(publicGoodSnapshotBytes())
}

/** The document itself: what `--trusted-root` of other tools takes. */
export function publicGoodSnapshotBytes(): Uint8Array {
  const seeds = createRequire(import.meta.url)('@sigstore/tuf/seeds.json') as Seeds
  const base64 = seeds[PUBLIC_GOOD_REPOSITORY]?.targets?.['trusted_root.json']
  if (base64 !== undefined) return Buffer.from(base64, 'base64')
  throw new Failure({
    code: 'trusted-root-missing',
    message: 'no trusted root of the public-good instance comes with this installation',
    hint: 'give one: --trusted-root FILE',
  })
}
