import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { parseSha256, type Sha256 } from '../../../verifier/model/digest.ts'
import { readComposeFile } from '../../app/compose/read-compose-file.ts'
import { composeSummary, guestName, requireDeclared } from '../../app/deploy/compose-summary.ts'
import { inputChanged } from '../../app/deploy/deploy-state.ts'
import { DEPLOYMENT_SCHEMA, type Deployment, DeployOrder } from '../../app/deploy/deployment.ts'
import { runDeployment } from '../../app/deploy/run-deployment.ts'
import { readBundleFiles } from '../../app/gate/read-bundle-files.ts'
import { PUSH_FILES } from '../../app/push-documents.ts'
import type { TargetChoice } from '../../deploy-room.ts'
import { eventLine } from '../render/deploy.ts'
import type { DeployTask } from './deploy-task.ts'
import { type Admission, gateStep } from './gate-step.ts'
import type { DeployRun } from './run-deploy.ts'

/** Asks the gate, starts what it allows, and follows it; gives what became of the admission at the service. */
export async function startStep(run: DeployRun): Promise<Admission> {
  const { io, task, client, state } = run
  const { flags, policy, environment } = task
  const appCompose = await composeOf(run)
  requireDeclared(environment ?? [], composeSummary(appCompose))
  const order = ordered(task, appCompose)
  if (state.deployment === null) await run.save(order)
  // The state lies in the folder of the build, which can be somebody else's: it says how far it is, and not what was ordered.
  else if (!isDeepStrictEqual(state.deployment.order, asKept(order.deployment.order))) throw inputChanged(['order'], task.stateFile)
  const { deployment } = run.state
  if (deployment === null) throw new TypeError('what was ordered is kept')
  const { target, live } = await io.deploying(targetChoice(task))
  const bundles = flags.bundle === undefined ? null : await readBundleFiles(flags.bundle, io.signal)
  const asked = { policy, bundles, trustedRoot: { file: flags.trustedRoot ?? null, refresh: false } }
  const service = client === null ? null : { client, verification: state.verification?.id ?? null }
  const gate = gateStep(await io.verifying(), asked, service)
  const keep = async (bytes: Uint8Array): Promise<Sha256> => {
    const sha256 = digestOf(bytes)
    if (run.state.composes[sha256] === undefined)
      await run.save({ composes: { ...run.state.composes, [sha256]: Buffer.from(bytes).toString('base64') } })
    return sha256
  }
  await runDeployment({
    ports: {
      target,
      decide: gate.decide,
      keep,
      load: async (sha256) => await Promise.resolve(Buffer.from(run.state.composes[sha256] ?? '', 'base64')),
      environment,
      live,
      now: () => new Date(),
    },
    deployment,
    save: async (after) => await run.save({ deployment: after }),
    onEvent: (event) => io.stderr.write(`${eventLine(event)}\n`),
    onLost: ({ code, message }) => io.stderr.write(`${message} (${code}); it is asked again\n`),
    follow: !flags.noWait,
    signal: io.signal,
  })
  return gate.admission()
}

/** What nobody said is not in a file. */
function asKept(order: DeployOrder): unknown {
  return JSON.parse(JSON.stringify(order))
}

/** The very bytes that are to run: those of the file, or those that the push wrote. */
async function composeOf({ io, task, state }: DeployRun): Promise<Uint8Array> {
  const bytes = task.appCompose ?? (await readComposeFile(path.join(task.build?.built.folder ?? '', PUSH_FILES.appCompose), io.signal))
  const sha256 = digestOf(bytes)
  const wanted = state.deployment?.order.appCompose ?? (task.appCompose === null ? state.pushed?.composeHash : undefined)
  if (wanted !== undefined && wanted !== sha256) throw inputChanged(['app-compose'], task.stateFile)
  return bytes
}

function ordered(task: DeployTask, appCompose: Uint8Array): { deployment: Deployment; composes: Record<Sha256, string> } {
  const { flags, policy } = task
  const sha256 = digestOf(appCompose)
  const { nodeId: node, region, kms, instanceType, image, vcpu, memory, disk, port, health } = flags
  const order = DeployOrder.parse({
    name: guestName(flags.name ?? null, composeSummary(appCompose)),
    appCompose: sha256,
    appId: flags.appId ?? null,
    live: port === undefined ? null : { ...port, healthPath: health ?? null },
    unpredicted: flags.startUnpredictedWithoutSecrets ? 'start-without-secrets' : 'deny',
    options: { node, region, kms, instanceType, image, vcpu, memory, disk },
  })
  const orderedAt = new Date().toISOString()
  const head = { schema: DEPLOYMENT_SCHEMA, id: randomUUID(), target: flags.target, policy: policy.policy.name } as const
  return {
    deployment: { ...head, state: 'ordered', orderedAt, order, events: [] },
    composes: { [sha256]: Buffer.from(appCompose).toString('base64') },
  }
}

/** Where the order goes. */
export function targetChoice({ flags }: DeployTask): TargetChoice {
  if (flags.target === 'phala-cloud' || flags.vmm === undefined) return { kind: 'phala-cloud' }
  const known = flags.image !== undefined && flags.osImageHash !== undefined
  return { kind: 'dstack-vmm', vmm: flags.vmm, osImages: new Map(known ? [[flags.image ?? '', flags.osImageHash ?? parseSha256('')]] : []) }
}
