import { POLICY_SCHEMA, type Policy } from '../src/app/gate/policy.ts'
import type { SubmissionDocument } from '../src/client/submission-document.ts'
import type { PublishedApp } from './published-app.ts'

/** As a file says it. */
export type PolicyFile = Readonly<Record<keyof typeof Policy.shape, unknown>>

/** A policy under which the app may start as it was published: of its repository, rebuilt for its publisher. */
export function policyOf(
  { app, key, name }: { readonly app: PublishedApp; readonly key: string; readonly name: string },
  { report }: SubmissionDocument,
  apps: PolicyFile['apps'],
): PolicyFile {
  return {
    policy: POLICY_SCHEMA,
    name: 'production',
    mode: 'enforce',
    signers: [{ key }],
    sources: { app: { repository: `file://${app.repository}`, refs: ['refs/heads/main'], owners: ['local:publisher'] } },
    images: { [name]: { source: 'app' } },
    builders: [report?.builder?.digest],
    tiers: ['bit-exact'],
    attestations: { maxAge: 1 },
    indexes: { maxAge: 10_000, suites: [...new Set(report?.indexes.map(({ suite }) => suite))] },
    compose: { deny: ['deny', 'warn'] },
    apps,
    osImages: {},
    tcb: { statuses: ['UpToDate'] },
    kms: null,
    gatewayAppId: null,
  }
}
