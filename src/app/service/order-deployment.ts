import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { MOST_BYTES } from '../compose/compose-document.ts'
import { failedCompose } from '../compose/compose-failures.ts'
import { lintCompose } from '../compose/lint-compose.ts'
import { formatGatewayUrl, parseGatewayUrl } from '../deploy/gateway-url.ts'
import type { StoredDeployment } from '../store/deployment-ports.ts'
import type { Reads, Unit } from '../store/store-ports.ts'
import { wholeBlob } from '../whole-blob.ts'
import type { ServicePorts } from './accept-verification.ts'
import { type Caller, requireScope } from './caller.ts'
import { type DeployTargets, requireOptions, requirePolicyOf, requireTarget } from './deploy-targets.ts'
import type { DeploymentRequest } from './deployment-documents.ts'
import { checkedKey, digestOfRequest, keyReused } from './idempotency-key.ts'
import { type Policies, policyInvalid, policyUnknown } from './policies.ts'
import { type DeploymentRead, readDeployment } from './read-deployments.ts'

export type OrderPorts = ServicePorts & {
  readonly reads: Pick<Reads, 'deployments' | 'owners' | 'composes'>
  readonly blobs: BlobStore
  readonly policies: Pick<Policies, 'see'>
  readonly targets: DeployTargets
  /** Deployments of one owner that are under way or observed. */
  readonly deploymentsPerOwner: number
}

export type OrderedNow = DeploymentRead & { readonly joined: boolean }

/**
 * Takes an order to deploy, or that something which was deployed elsewhere is to be observed: it is there with the job that leads on, or not at
 * all. Fails with `scope-missing`, `target-unknown`, `target-not-yours`, `target-option-unsaid`, `target-policy-refused`, `policy-unknown`, `policy-invalid`, `deployment-compose-unknown`,
 * `compose-…`, `gateway-url-…`, `deployments-limit`, `idempotency-key-malformed` and `idempotency-key-reused`.
 */
export async function orderDeployment(
  ports: OrderPorts,
  { caller, request, idempotencyKey }: { caller: Caller; request: DeploymentRequest; idempotencyKey: string | null },
): Promise<OrderedNow> {
  requireScope(caller, 'deploy')
  const said = idempotencyKey === null ? null : { key: checkedKey(idempotencyKey), requestDigest: digestOfRequest(request) }
  if (request.kind === 'ordered') await checkOrder(ports, caller, request)
  const url = request.kind === 'announced' ? formatGatewayUrl(parseGatewayUrl(request.url)) : null
  const size = request.kind === 'ordered' ? await sizeOfCompose(ports, caller, request.order.appCompose) : 0
  const deployment = { ...deploymentOf(ports, caller, request), url }
  const { id, joined } = await ports.unitOfWork.run(async (unit) => {
    const before = said === null ? undefined : await unit.deployments.saidBefore(caller.owner.id, said.key)
    if (before !== undefined && before.requestDigest !== said?.requestDigest) throw keyReused()
    if (before !== undefined) return { id: before.id, joined: true }
    await unit.deployments.insert(deployment, said)
    if (deployment.ordered !== null) await begin(unit, deployment, size)
    else await unit.jobs.enqueue('observation', { deploymentId: deployment.id })
    await unit.owners.hold(caller.owner.id)
    if ((await unit.deployments.aliveOf(caller.owner.id)) > ports.deploymentsPerOwner) throw tooMany(ports.deploymentsPerOwner)
    return { id: deployment.id, joined: false }
  })
  const { target, policy } = deployment
  const state = request.kind
  if (!joined) ports.events?.deploymentOrdered?.({ deployment: id, owner: caller.owner.id, state, target, policy })
  return { ...(await readDeployment(ports, id)), joined }
}

async function checkOrder(
  { targets, policies }: OrderPorts,
  caller: Caller,
  { target, policy, admit, order }: Extract<DeploymentRequest, { kind: 'ordered' }>,
): Promise<void> {
  if (admit) requireScope(caller, 'admit')
  requireTarget(targets, target, caller.owner)
  requireOptions(targets, target, order)
  const seen = await policies.see(policy)
  if (seen === undefined) throw policyUnknown()
  requirePolicyOf(targets, target, policy)
  if (seen.policy === null) throw policyInvalid()
}

/** Of an app-compose that its owner uploaded, or that is kept for whatever else; whoever brought the bytes, they are what the hash says. */
async function sizeOfCompose({ unitOfWork, reads, blobs }: OrderPorts, { owner }: Caller, sha256: Sha256): Promise<number> {
  const upload = await unitOfWork.run(({ uploads }) => uploads.find(owner.id, sha256))
  if (upload === undefined && !(await reads.composes.isKept(sha256))) throw composeUnknown()
  const size = await blobs.size(sha256)
  if (size === undefined) throw composeUnknown()
  if (size > MOST_BYTES.dstack) throw failedCompose('compose-too-large')
  const lint = lintCompose(await wholeBlob(blobs, sha256))
  if (lint.composeHash === null) throw failedCompose('compose-no-app')
  return size
}

async function begin({ uploads, composes, deployments, jobs }: Unit, deployment: StoredDeployment, size: number): Promise<void> {
  const { id: deploymentId, ownerId, composeHash: sha256, createdAt: at } = deployment
  // Held from here on: whoever sweeps uploads passes it by, and finds it needed afterwards.
  if ((await uploads.find(ownerId, sha256)) === undefined && !(await composes.isKept(sha256))) throw composeUnknown()
  await deployments.keepCompose({ deploymentId, sha256, size, at })
  await jobs.enqueue('deployment', { deploymentId })
}

function deploymentOf({ now, newId }: OrderPorts, { owner }: Caller, request: DeploymentRequest): Omit<StoredDeployment, 'url'> {
  const at = now()
  const made = { id: newId(), ownerId: owner.id, createdAt: at, updatedAt: at, withdrawnAt: null }
  if (request.kind === 'announced') {
    const { name, app: appId, composeHash } = request
    return { ...made, name, appId, composeHash, state: 'announced', target: null, policy: null, ordered: null }
  }
  const { target, policy, order, admit } = request
  const { name, appId, appCompose: composeHash } = order
  return { ...made, name, appId, composeHash, state: 'ordered', target, policy, ordered: { order, admit, events: [] } }
}

function composeUnknown(): Failure {
  return new Failure({
    code: 'deployment-compose-unknown',
    message: 'the app-compose of the order is not here',
    hint: 'upload its bytes (POST /v1/uploads), or admit it for an app (PUT /v1/apps/{app}/composes/{sha256}), and order then',
  })
}

function tooMany(most: number): Failure {
  return new Failure({
    code: 'deployments-limit',
    message: `you have ${most} deployments under way or observed already`,
    hint: 'withdraw those that are not to be observed any more',
    data: { retryAfterSeconds: 60 },
  })
}
