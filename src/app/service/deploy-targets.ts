import { nameMatches } from '../../../attestations/index.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import type { DeployTarget } from '../deploy/deploy-target.ts'
import type { DeployOrder } from '../deploy/deployment.ts'
import type { Owner } from '../store/records.ts'
import { identityOf } from './statement-sources.ts'

/** A target that the operator lets some owners deploy to. */
export type ServiceTarget = {
  readonly target: DeployTarget
  /** Patterns of who may, as policies name owners. */
  readonly owners: readonly string[]
  /** Names of the policies by which it may be decided: who orders chooses among these, and no laxer one. */
  readonly policies: readonly string[]
}

/** By the names that the operator gave them. */
export type DeployTargets = ReadonlyMap<string, ServiceTarget>

/** Fails with `target-unknown` or `target-not-yours`. */
export function requireTarget(targets: DeployTargets, name: string, owner: Owner): void {
  const found = targets.get(name)
  if (found === undefined)
    throw new Failure({ code: 'target-unknown', message: 'this service has no such target', hint: 'GET /v1/targets says which there are' })
  const identity = identityOf(owner)
  if (found.owners.some((pattern) => nameMatches({ pattern }, identity))) return
  throw new Failure({
    code: 'target-not-yours',
    message: 'you may not deploy to this target',
    hint: 'ask the operator to name you among the owners of the target, as GET /v1/owner shows you',
  })
}

/** Fails with `target-policy-refused` where the operator does not let this policy decide what the target starts. */
export function requirePolicyOf(targets: DeployTargets, name: string, policy: string): void {
  if (targets.get(name)?.policies.includes(policy) === true) return
  throw new Failure({
    code: 'target-policy-refused',
    message: 'this policy does not decide what is started at this target',
    hint: 'order by one that GET /v1/targets names for it, or ask the operator to let it be decided by this one',
  })
}

/** Fails with `target-option-unsaid` where the target takes no such order without an option. */
export function requireOptions(targets: DeployTargets, name: string, { options }: Pick<DeployOrder, 'options'>): void {
  const unsaid = (targets.get(name)?.target.needs ?? []).filter((option) => options[option] === undefined)
  if (unsaid.length === 0) return
  throw new Failure({
    code: 'target-option-unsaid',
    message: `the target takes no order without ${unsaid.join(', ')}`,
    hint: 'say it in the options of the order, as docs/deploy.md has them',
    data: { options: unsaid },
  })
}

/** Of something that was ordered: fails with `target-absent` where the operator took the target away since. */
export function targetOf(targets: DeployTargets, name: string): DeployTarget {
  const found = targets.get(name)
  if (found !== undefined) return found.target
  throw new Failure({
    code: 'target-absent',
    message: 'a deployment is under way to a target that is not there any more',
    hint: 'put it back into the file of targets; without it the deployment is given up after a while',
    audience: 'operator',
    retryable: true,
  })
}
