import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { DeploymentEvent, DeploymentState, DeployOrder } from '../deploy/deployment.ts'
import type { Page, PageRequest } from './page.ts'

/** An app that runs, or is to: ordered here, or announced by whoever had it deployed elsewhere and wants it observed. */
export type ListedDeployment = {
  readonly id: string
  readonly ownerId: string
  readonly name: string
  /** Null until a target gives one. */
  readonly appId: string | null
  /** What is measured, as the target says; until then what was ordered, or announced. */
  readonly composeHash: Sha256
  /** Where it answers; null while it does not. */
  readonly url: string | null
  readonly state: DeploymentState | 'announced'
  /** Of what was ordered here. */
  readonly target: string | null
  readonly policy: string | null
  readonly createdAt: Date
  readonly updatedAt: Date
  /** Since when it is not observed any more, by its owner's word. */
  readonly withdrawnAt: Date | null
}

export type StoredDeployment = ListedDeployment & {
  /** Null: it was announced. */
  readonly ordered: {
    readonly order: DeployOrder
    /** Whether its owner admits the app-compose for the app that the target gives it. */
    readonly admit: boolean
    readonly events: readonly DeploymentEvent[]
  } | null
}

/** Filters of the list. Null: any. */
export type DeploymentFilter = {
  readonly app: string | null
  readonly owner: string | null
  readonly state: StoredDeployment['state'] | null
}

export interface Deployments {
  insert(deployment: StoredDeployment, said: { readonly key: string; readonly requestDigest: Sha256 } | null): Promise<void>
  /** What the owner said with this key before. Held until the transaction ends, whoever else is about to say something with it. */
  saidBefore(ownerId: string, key: string): Promise<{ readonly id: string; readonly requestDigest: Sha256 } | undefined>
  read(id: string): Promise<StoredDeployment | undefined>
  /** Lets nobody change it until the transaction ends. */
  hold(id: string): Promise<StoredDeployment | undefined>
  /** Writes what became of one that is held. */
  save(deployment: StoredDeployment): Promise<void>
  page(filter: DeploymentFilter, request: PageRequest): Promise<Page<ListedDeployment>>
  /** How many of an owner's are under way or observed. */
  aliveOf(ownerId: string): Promise<number>
  /** Those of all owners, for whoever starts again after a crash. */
  alive(request: PageRequest): Promise<Page<ListedDeployment>>
  /** Notes bytes of an app-compose, which are in the store of blobs, as part of it. Again changes nothing. */
  keepCompose(o: { deploymentId: string; sha256: Sha256; size: number; at: Date }): Promise<void>
  /** Of these deployments those whose `composeHash` is of bytes that are part of them. */
  withBytes(ids: readonly string[]): Promise<ReadonlySet<string>>
  hasCompose(deploymentId: string, sha256: Sha256): Promise<boolean>
}
