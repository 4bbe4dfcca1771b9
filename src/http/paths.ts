import type { Sha256 } from '../../verifier/model/digest.ts'

/** Where everything is. Answers name each other by these. */
export const paths = {
  verification: (id: string) => `/v1/verifications/${id}`,
  attemptsOf: (id: string) => `/v1/verifications/${id}/attempts`,
  eventsOf: (id: string) => `/v1/verifications/${id}/events`,
  recipeOf: (id: string) => `/v1/verifications/${id}/recipe`,
  attempt: (id: string) => `/v1/attempts/${id}`,
  attemptLog: (id: string) => `/v1/attempts/${id}/log`,
  attemptEvents: (id: string) => `/v1/attempts/${id}/events`,
  known: (sha256: Sha256, key: Sha256) => `/v1/subjects/${sha256}/${key}`,
  composesOf: (app: string) => `/v1/apps/${app}/composes`,
  compose: (app: string, sha256: Sha256) => `/v1/apps/${app}/composes/${sha256}`,
  decisionsOf: (app: string) => `/v1/apps/${app}/decisions`,
  policy: (name: string) => `/v1/policies/${name}`,
  policyBytes: (name: string) => `/v1/policies/${name}/bytes`,
  attestation: (id: string) => `/v1/attestations/${id}`,
  observation: (id: string) => `/v1/observations/${id}`,
  observationsOf: (app: string) => `/v1/apps/${app}/observations`,
  deployment: (id: string) => `/v1/deployments/${id}`,
  deploymentCompose: (id: string, sha256: Sha256) => `/v1/deployments/${id}/composes/${sha256}`,
  blob: (sha256: Sha256) => `/v1/blobs/${sha256}`,
} as const
