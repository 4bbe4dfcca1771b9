import path from 'node:path'
import { MAX_TRUSTED_ROOT, parseTrustedRoot } from '../attestations/verify/trusted-root.ts'
import { readNamedFile } from './app/named-file.ts'
import type { VerifyAttestationPorts } from './app/verify-attestation.ts'
import type { Environment } from './config/setting.ts'

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
      const { fetchDocument } = await import('./download/fetch-document.ts')
      const allowed = (await settings()).sources
      return await fetchDocument(
        url,
        { plainHttp: allowed.includes('plain-http'), privateHosts: allowed.includes('private-hosts') },
        signal,
      )
    },
  }
}
