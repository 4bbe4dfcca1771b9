import path from 'node:path'
import { MAX_TRUSTED_ROOT, parseTrustedRoot } from '../attestations/verify/trusted-root.ts'
import { readNamedFile } from '../verifier/bytes/named-file.ts'
import type { VerifyAttestationPorts } from './app/verify-attestation.ts'
import type { Environment } from './config/setting.ts'

/** Bounds on what a URL gives. Larger proofs are fetched by hand. */
const DOCUMENT = { maxBytes: 64 << 20, seconds: 60 }

/**
 * What commands that verify attestations need. Nothing is opened and no setting is read before something asks for it: a file is verified
 * against a pinned root with no home, no network and no engine.
 */
export function openVerifyingRoom(environment: Environment): VerifyAttestationPorts {
  const settings = async () => (await import('./config/settings.ts')).readSettings(environment)
  return {
    now: () => new Date(),
    async trustedRoot({ file, refresh }, signal) {
      if (file !== null) {
        const bytes = await readNamedFile(file, { what: 'the trusted root', maxBytes: MAX_TRUSTED_ROOT, signal })
        return { origin: 'file', root: parseTrustedRoot(bytes) }
      }
      if (!refresh) {
        const { publicGoodSnapshot } = await import('../attestations/verify/public-good.ts')
        return { origin: 'snapshot', root: publicGoodSnapshot() }
      }
      const [{ openHome }, { refreshTrustedRoot }] = await Promise.all([
        import('./config/home.ts'),
        import('./trust/refresh-trusted-root.ts'),
      ])
      const home = await openHome((await settings()).home)
      return { origin: 'refreshed', root: parseTrustedRoot(await refreshTrustedRoot({ cache: path.join(home.keys, 'tuf') })) }
    },
    async bundlesOf(image, signal) {
      const [{ openRegistryRoom }, attached] = await Promise.all([import('./registry-room.ts'), import('./app/attached-bundles.ts')])
      await using room = await openRegistryRoom(await settings())
      const repository = room.registry.repository(image, { access: 'pull' })
      const { bundles, skipped, truncated } = await attached.bundlesOf(repository, { digest: image.digest, signal })
      return { bundles: bundles.map(({ bytes }) => bytes), skipped: [...skipped], truncated }
    },
    async fetchDocument(url, signal) {
      const [{ downloadBytes }, { downloadRules }, { sourceAccess }] = await Promise.all([
        import('./download/download.ts'),
        import('./download/rules.ts'),
        import('./config/source-access.ts'),
      ])
      return await downloadBytes(url.href, downloadRules(sourceAccess((await settings()).sources), DOCUMENT), signal)
    },
  }
}
