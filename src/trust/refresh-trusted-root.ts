import { initTUF } from '@sigstore/tuf'
import { Failure } from '../../verifier/model/failure.ts'

/** What of the TUF repository is wanted: sigstore's root-signing names it so. */
const TARGET = 'trusted_root.json'

/**
 * Asks the TUF repository of the public-good instance for today's trusted root. The metadata is kept in `cache`, so that a repository can
 * never show an older state than it has shown before. Fails with `trusted-root-not-refreshed`; the library's text stays out of it.
 */
export async function refreshTrustedRoot(o: {
  readonly cache: string
  /** Another repository and its first root, for tests. */
  readonly repository?: { readonly url: URL; readonly rootFile: string }
}): Promise<Uint8Array> {
  try {
    const client = await initTUF({
      cachePath: o.cache,
      retry: { retries: 1 },
      timeout: 10_000,
      ...(o.repository === undefined ? {} : { mirrorURL: o.repository.url.href.replace(/\/$/, ''), rootPath: o.repository.rootFile }),
    })
    return Buffer.from(await client.getTarget(TARGET), 'utf8')
  } catch (cause) {
    throw new Failure({
      code: 'trusted-root-not-refreshed',
      message: "today's trusted root of the public-good instance could not be had",
      hint: 'check the network; without --refresh-trusted-root the one that comes with this program is taken',
      retryable: true,
      cause,
    })
  }
}
