import { Failure } from '../../../verifier/model/failure.ts'
import { DEPLOYMENT_SCHEMA, type Deployment } from '../deploy/deployment.ts'
import type { DeploymentFilter, ListedDeployment, StoredDeployment } from '../store/deployment-ports.ts'
import type { Page, PageRequest } from '../store/page.ts'
import type { Owner } from '../store/records.ts'
import type { Reads } from '../store/store-ports.ts'

type ReadPorts = { readonly reads: Pick<Reads, 'deployments' | 'owners'> }

/** `withBytes`: what its `composeHash` is of is here, as part of it. */
export type DeploymentListed = { readonly deployment: ListedDeployment; readonly owner: Owner; readonly withBytes: boolean }
export type DeploymentRead = DeploymentListed & { readonly deployment: StoredDeployment }

/** Fails with `deployment-unknown`. */
export async function readDeployment({ reads }: ReadPorts, id: string): Promise<DeploymentRead> {
  const deployment = await reads.deployments.read(id)
  const owner = deployment === undefined ? undefined : await reads.owners.find(deployment.ownerId)
  if (deployment === undefined || owner === undefined) throw deploymentUnknown()
  return { deployment, owner, withBytes: (await reads.deployments.withBytes([id])).has(id) }
}

/** Fails with `cursor-malformed` or `page-limit`. */
export async function listDeployments(
  { reads }: ReadPorts,
  filter: DeploymentFilter,
  request: PageRequest,
): Promise<Page<DeploymentListed>> {
  const { items, next } = await reads.deployments.page(filter, request)
  const owners = new Map((await reads.owners.among([...new Set(items.map(({ ownerId }) => ownerId))])).map((owner) => [owner.id, owner]))
  const withBytes = await reads.deployments.withBytes(items.map(({ id }) => id))
  return {
    items: items.flatMap((deployment) => {
      const owner = owners.get(deployment.ownerId)
      return owner === undefined ? [] : [{ deployment, owner, withBytes: withBytes.has(deployment.id) }]
    }),
    next,
  }
}

/** As everybody may read it; null: it was announced. */
export function deploymentDocument({ id, target, policy, state, createdAt, ordered }: StoredDeployment): Deployment | null {
  if (ordered === null || target === null || policy === null || state === 'announced') return null
  const { order, events } = ordered
  return { schema: DEPLOYMENT_SCHEMA, state, id, target, policy, orderedAt: createdAt.toISOString(), order, events: [...events] }
}

export function deploymentUnknown(): Failure {
  return new Failure({
    code: 'deployment-unknown',
    message: 'there is no such deployment',
    hint: 'check its id; GET /v1/deployments says which there are',
  })
}
