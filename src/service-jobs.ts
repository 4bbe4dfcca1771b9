import path from 'node:path'
import { arch } from 'node:process'
import { Failure } from '../verifier/model/failure.ts'
import { pinSource } from '../verifier/source/pin-source.ts'
import type { ServicePorts } from './app/service/accept-verification.ts'
import { callbackWork } from './app/service/callback.ts'
import { decisionWork } from './app/service/decision.ts'
import type { DeployTargets } from './app/service/deploy-targets.ts'
import { type DeploymentPorts, deploymentWork } from './app/service/deployment-work.ts'
import { type JobTrades, runJobs } from './app/service/job-runner.ts'
import { type ObservationWorkPorts, observationWork } from './app/service/observation-work.ts'
import { preparationWork } from './app/service/preparation.ts'
import type { ServiceEvents } from './app/service/service-events.ts'
import { signingWork } from './app/service/signing.ts'
import { summaryWork } from './app/service/summary.ts'
import { builderOfToday } from './builder-of-today.ts'
import { bringStrangersClaimed } from './claimed-bytes.ts'
import type { Home } from './config/home.ts'
import { findPackage } from './config/package-root.ts'
import type { Settings } from './config/settings.ts'
import { sourceAccess } from './config/source-access.ts'
import { openLive } from './deploy-room.ts'
import { downloadRules } from './download/rules.ts'
import { postCallback } from './notify/post-callback.ts'
import type { SigningRoom } from './signing-room.ts'
import type { LocalBlobs } from './storage/blob-folder.ts'
import { makeScratch } from './storage/scratch.ts'
import type { StoreRoom } from './store-room.ts'

export type ServiceJobsOptions = {
  readonly settings: Settings
  readonly home: Home
  readonly store: StoreRoom
  readonly blobs: LocalBlobs
  readonly service: ServicePorts
  readonly events: ServiceEvents
  readonly signing: SigningRoom
  /** What callbacks to an owner are signed with. */
  readonly secret: (ownerId: string) => Promise<string>
  /** What deployments are decided by. */
  readonly gate: Pick<DeploymentPorts, 'lints' | 'bundles' | 'policies' | 'trustedRoot'>
  readonly targets: DeployTargets
  readonly inspect: ObservationWorkPorts['inspect']
  /** Where the service is reached, for whoever is told of a verdict; with a slash at its end. */
  readonly base: URL
}

/** Jobs of a kind that one coordinator does side by side. Preparing waits for hosts of strangers, deciding reads whole images. */
const AT_ONCE = { preparation: 4, decision: 2, signing: 4, summary: 1, callback: 8, deployment: 8, observation: 4 } as const
/** Claimed bytes are fetched only to explain; a build's own bound is far above what images weigh. */
const DOWNLOAD_SECONDS = 3600
const CALLBACK_MS = 10_000

/** Does what a coordinator does itself until the signal fires, and resolves once what was under way is over or given back. */
export function serviceJobs(o: ServiceJobsOptions): (signal: AbortSignal) => Promise<void> {
  const { settings, home, store, blobs, service, events, signing } = o
  const { root, version } = findPackage()
  const access = sourceAccess(settings.sources)
  const rules = downloadRules(access, { maxBytes: settings.limitOutput, seconds: DOWNLOAD_SECONDS })
  const ports = { ...service, reads: store.reads, blobs, version, scratch: () => makeScratch(home.work) }
  const trades: JobTrades = {
    preparation: {
      atOnce: AT_ONCE.preparation,
      work: preparationWork({
        ...ports,
        // What is uploaded lies in a file of ours by then.
        pin: (source, scratch, signal) => pinSource(source, { scratch, signal, access: { ...access, files: true } }),
        reader: { architecture: debianWord(), mkosi: settings.mkosi },
        isOfToday: builderOfToday({ folder: path.join(root, 'mkosi', 'builder'), mkosi: settings.mkosi, blobs }),
      }),
    },
    decision: {
      atOnce: AT_ONCE.decision,
      work: decisionWork({
        ...ports,
        outputBytes: settings.limitOutput,
        fileOf: (sha256, signal) => blobs.fileOf(sha256, signal),
        fetchClaimed: (claimed) => bringStrangersClaimed(claimed, settings, rules),
      }),
    },
    signing: { atOnce: AT_ONCE.signing, work: signingWork({ ...ports, signer: () => signing.ports(), operator: settings.operator }) },
    summary: { atOnce: AT_ONCE.summary, work: summaryWork({ ...ports, signer: () => signing.ports(), base: o.base }) },
    callback: {
      atOnce: AT_ONCE.callback,
      work: callbackWork({
        ...ports,
        secret: o.secret,
        links: ({ id, report }) => ({
          self: new URL(`v1/verifications/${id}`, o.base).href,
          report: report === null ? null : new URL(`v1/blobs/${report}`, o.base).href,
        }),
        post: (callback, signal) => postCallback(callback, { timeoutMs: CALLBACK_MS, userAgent: `bitwitness/${version}` }, signal),
      }),
    },
    deployment: {
      atOnce: AT_ONCE.deployment,
      work: deploymentWork({
        ...ports,
        ...o.gate,
        targets: o.targets,
        live: openLive(settings),
      }),
    },
    observation: {
      atOnce: AT_ONCE.observation,
      work: observationWork({ ...ports, inspect: o.inspect, everyMs: settings.observeEvery * 1000 }),
    },
  }
  return (signal) => runJobs({ ...service, notices: store.notices, events }, trades, signal)
}

/** Debian's word for this machine, which recipes are read for where they do not say. */
function debianWord(): string {
  const words: Partial<Record<typeof arch, string>> = { x64: 'amd64', arm64: 'arm64' }
  const word = words[arch]
  if (word !== undefined) return word
  throw new Failure({
    code: 'machine-unsupported',
    message: 'no recipe is built for the architecture of this machine',
    hint: 'run the service on amd64 or arm64',
    audience: 'operator',
  })
}
