import type { DeploymentView, ObservationView } from '../app/service/deployment-documents.ts'
import type { ComposeView, GuestDecisionView } from '../app/service/gate-documents.ts'
import type { DeploymentListed } from '../app/service/read-deployments.ts'
import type { AdmittedCompose, AnsweredGuest, Summary } from '../app/store/gate-ports.ts'
import type { ListedObservation } from '../app/store/observation-ports.ts'
import { paths } from './paths.ts'
import { ownerView } from './views.ts'

export function deploymentView({ deployment, owner, withBytes }: DeploymentListed): DeploymentView {
  const { id, state, name, appId, composeHash, url, target, policy, createdAt, updatedAt, withdrawnAt } = deployment
  return {
    id,
    state,
    owner: ownerView(owner),
    name,
    app: appId,
    composeHash,
    url,
    target,
    policy,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
    withdrawnAt: withdrawnAt?.toISOString() ?? null,
    links: {
      self: paths.deployment(id),
      compose:
        state === 'announced' && appId !== null
          ? paths.compose(appId, composeHash)
          : withBytes
            ? paths.deploymentCompose(id, composeHash)
            : null,
    },
  }
}

export function observationView({
  id,
  deploymentId,
  appId,
  url,
  verdict,
  code,
  count,
  firstAt,
  lastAt,
}: ListedObservation): ObservationView {
  return {
    id,
    deployment: deploymentId,
    app: appId,
    url,
    verdict,
    code,
    count,
    firstAt: firstAt.toISOString(),
    lastAt: lastAt.toISOString(),
    links: { self: paths.observation(id), deployment: paths.deployment(deploymentId) },
  }
}

export function composeView({ appId, composeHash, owner, admittedAt }: AdmittedCompose): ComposeView {
  return {
    app: appId,
    composeHash,
    admittedBy: ownerView(owner),
    admittedAt: admittedAt.toISOString(),
    links: { bytes: paths.compose(appId, composeHash) },
  }
}

/** With the signed summaries of the app. */
export function guestDecisionView(
  { asked, count, firstAt, lastAt, decision }: AnsweredGuest,
  summaries: readonly Summary[],
): GuestDecisionView {
  const { policy, app } = decision
  const summary = summaries.find(({ policySha256, composeHash }) => policySha256 === policy.sha256 && composeHash === app.composeHash)
  return {
    asked,
    count,
    firstAt: firstAt.toISOString(),
    lastAt: lastAt.toISOString(),
    decision,
    links: { summary: summary === undefined ? null : paths.attestation(summary.attestationId) },
  }
}
