import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { stringify } from 'yaml'
import type { z } from 'zod'
import type { Policy } from '../src/app/gate/policy.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import type { VerificationReport } from '../verifier/model/report.ts'
import { DemoFailed } from './demo-files.ts'

/** The app of the demonstration; whoever deploys may choose its id where they run the KMS themselves. */
export const APP_ID = 'a1'.repeat(20)
/** A name that nothing is pushed to: the guest of the demonstration is none. */
export const IMAGE = 'registry.example/acme/app'
/** Of the guest image that the stand-in says it boots. */
export const OS_IMAGE_HASH = '05'.repeat(32)

/**
 * Writes the policy of the demonstration: this repository of the publisher, rebuilt for this owner, signed by this service, and nothing else.
 * `composes` are admitted app-composes.
 */
export async function writePolicy(
  file: string,
  o: { readonly key: string; readonly report: VerificationReport; readonly owner: string; readonly composes: readonly Sha256[] },
): Promise<void> {
  const { source, builder, indexes } = o.report
  if (source.kind !== 'git' || builder === null) throw new DemoFailed('the report names no repository, or no builder')
  const policy: z.input<typeof Policy> = {
    policy: 'bitwitness/policy/v1',
    name: path.basename(file, '.yaml'),
    mode: 'enforce',
    signers: [{ key: o.key }],
    sources: { app: { repository: source.url, refs: ['refs/heads/main'], owners: [o.owner] } },
    images: { [IMAGE]: { source: 'app' } },
    builders: [builder.digest],
    tiers: ['bit-exact'],
    attestations: { maxAge: 30 },
    indexes: { maxAge: 365, suites: [...new Set(indexes.map(({ suite }) => suite))] },
    compose: { deny: ['deny', 'warn'] },
    apps: { [APP_ID]: { images: [IMAGE], composes: [...o.composes], devices: 'any' } },
    osImages: { [OS_IMAGE_HASH]: { pinned: 'the guest image of the demonstration, which is none' } },
    tcb: { statuses: ['UpToDate'] },
  }
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, stringify(policy, { aliasDuplicateObjects: false }))
}
