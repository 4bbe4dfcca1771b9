import { Failure } from '../../../verifier/model/failure.ts'
import { isOver } from '../deploy/deployment-state.ts'
import type { Reads } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import { type Caller, requireScope } from './caller.ts'
import { type DeploymentRead, deploymentUnknown, readDeployment } from './read-deployments.ts'

/**
 * Ends that something is observed; what runs, runs on. Again changes nothing. Fails with `scope-missing`, `deployment-unknown`,
 * `deployment-not-yours`, or `deployment-under-way`.
 */
export async function withdrawDeployment(
  ports: ServicePorts & { readonly reads: Pick<Reads, 'deployments' | 'owners'> },
  { caller, id }: { caller: Caller; id: string },
): Promise<DeploymentRead> {
  requireScope(caller, 'deploy')
  await ports.unitOfWork.run(async ({ deployments }) => {
    const held = await deployments.hold(id)
    if (held === undefined) throw deploymentUnknown()
    if (held.ownerId !== caller.owner.id) throw notYours()
    if (held.withdrawnAt !== null) return
    if (held.state !== 'announced' && !isOver(held.state)) throw underWay()
    const at = ports.now()
    await deployments.save({ ...held, withdrawnAt: at, updatedAt: at })
  })
  return await readDeployment(ports, id)
}

function notYours(): Failure {
  return new Failure({
    code: 'deployment-not-yours',
    message: 'the deployment is somebody else’s',
    hint: 'only its owner can withdraw it',
  })
}

function underWay(): Failure {
  return new Failure({
    code: 'deployment-under-way',
    message: 'the deployment is under way',
    hint: 'wait until it is running, denied or failed',
    data: { retryAfterSeconds: 10 },
  })
}
