import { Failure } from '../verifier/model/failure.ts'
import type { DeployTargets } from './app/service/deploy-targets.ts'
import type { Policies } from './app/service/policies.ts'
import type { ServingDocument } from './app/service/serving-document.ts'
import { findPackage } from './config/package-root.ts'
import type { LocalWorker } from './local-worker.ts'
import type { SigningRoom } from './signing-room.ts'
import type { StoreRoom } from './store-room.ts'

export type Serving = {
  readonly url: URL
  readonly home: string
  readonly database: StoreRoom['database']['kind']
  readonly signing: SigningRoom
  readonly local: LocalWorker | Failure | null
  /** Null: no folder is named. */
  readonly policies: Policies | null
  readonly targets: DeployTargets
}

/** What runs, once it listens, for whoever started it. */
export async function servingFacts({ url, home, database, signing, local, policies, targets }: Serving): Promise<ServingDocument> {
  const { keyed } = await signing.ports()
  const none = local instanceof Failure
  return {
    schema: 'bitwitness/serving/v1',
    url: url.href,
    version: findPackage().version,
    database: database === 'pglite' ? 'embedded' : 'postgres',
    home,
    signer: { kind: keyed ? 'key' : 'sigstore', fingerprint: keyed ? (await signing.key()).fingerprint : null },
    worker: local === null || none ? null : { architecture: local.architecture, slots: local.slots },
    noWorker: none ? { code: local.code, message: local.message, hint: local.hint } : null,
    policies: policies === null ? null : [...(await policies.standings())],
    targets: [...targets].map(([name, { target, policies: by }]) => ({ name, kind: target.kind, policies: [...by] })),
  }
}
