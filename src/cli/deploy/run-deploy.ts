import { Failure } from '../../../verifier/model/failure.ts'
import { DEPLOY_SCHEMA, DeployDocument } from '../../app/deploy/deploy-document.ts'
import { type DeployState, readDeployState, resumedState, writeDeployState } from '../../app/deploy/deploy-state.ts'
import { type Look, lookAgain } from '../../app/deploy/look-again.ts'
import type { ApiClient } from '../../client/api-client.ts'
import type { CliIo } from '../cli-context.ts'
import type { DeployFlags } from '../commands/deploy.ts'
import { EXIT, type ExitCode, exitOfVerdict } from '../exit-code.ts'
import { printAnswer } from '../output.ts'
import { deployLines } from '../render/deploy.ts'
import { placeOf } from '../render/submitted.ts'
import { type Announcement, announceStep, appOf } from './announce-step.ts'
import { type DeployTask, readDeployTask } from './deploy-task.ts'
import type { Admission } from './gate-step.ts'
import { followVerification, pushBuild, submitBuild, verificationState } from './rebuild-step.ts'
import { startStep, targetChoice } from './start-step.ts'

/** A deployment from this machine: what is done is kept in its state file before the next step is taken. */
export type DeployRun = {
  readonly io: CliIo
  readonly task: DeployTask
  /** Null: no service is asked. */
  readonly client: ApiClient | null
  state: DeployState
  readonly save: (change: Partial<DeployState>) => Promise<void>
}

export async function runDeploy(io: CliIo, flags: DeployFlags, folder: string | null): Promise<ExitCode> {
  const task = await readDeployTask(flags, folder, io.signal)
  const client = task.build === null && flags.server === undefined ? null : await io.client({ server: flags.server ?? null })
  const run: DeployRun = {
    io,
    task,
    client,
    state: resumedState(await readDeployState(task.stateFile, io.signal), { inputs: task.inputs, file: task.stateFile }),
    save: async (change) => {
      run.state = { ...run.state, ...change }
      await writeDeployState(task.stateFile, run.state)
    },
  }
  try {
    const proven = await rebuild(run)
    const now = proven ? await lookStep(run) : null
    const admission = proven && now === null ? await startStep(run) : null
    return await answer(run, { admission, now, announcement: now === null || ranAt(now) ? await announceStep(run) : null })
  } catch (error) {
    if (io.signal.aborted) io.stderr.write('what was done is kept: the same command goes on from there\n')
    throw error
  }
}

/** Whether the image is what its source gives; true also where there is nothing to rebuild. */
async function rebuild(run: DeployRun): Promise<boolean> {
  const { io, task, client } = run
  const { build, flags } = task
  if (build === null || client === null) return true
  const artifact = flags.artifact ?? null
  if (run.state.pushed === null) await run.save({ pushed: await pushBuild(io, build, artifact) })
  const { pushed } = run.state
  if (pushed === null) throw new TypeError('what was pushed is kept')
  if (run.state.verification === null) {
    const submitted = await submitBuild(io, { client, build, artifact, image: pushed.image })
    await run.save({ verification: verificationState(submitted, client) })
  }
  const { verification } = run.state
  if (verification !== null && verification.verdict === null && !flags.noWait) {
    const over = await followVerification(io, { client, id: verification.id, verbose: flags.verbose })
    await run.save({ verification: over.state === 'cancelled' ? null : verificationState(over, client) })
    if (over.state === 'cancelled') throw cancelled()
  }
  return run.state.verification?.verdict === 'reproduced'
}

/** What ran when the command before this one ended is looked at now; null: there is nothing of it, and it is started. */
async function lookStep({ io, task, state: { deployment } }: DeployRun): Promise<Look | null> {
  if (deployment?.state !== 'running') return null
  const { target, live } = await io.deploying(targetChoice(task))
  return await lookAgain({ target, live, now: () => new Date() }, deployment, io.signal)
}

type Came = { readonly admission: Admission; readonly now: Look | null; readonly announcement: Announcement }

async function answer({ io, task, client, state }: DeployRun, { admission, now, announcement }: Came): Promise<ExitCode> {
  const { verification, deployment, pushed } = state
  const place = verification === null ? null : placeOf(verification, new URL(verification.server))
  const document: DeployDocument = {
    schema: DEPLOY_SCHEMA,
    verdict: verdictOf(state, now),
    pushed,
    verification:
      verification === null ? null : { id: verification.id, url: place ?? '', verdict: verification.verdict, tier: verification.tier },
    admission,
    deployment,
    now,
    url: now === null ? (deployment?.events.findLast((event) => event.kind === 'live')?.url ?? null) : now.url,
    announcement,
    provenance: provenanceOf(client, state, announcement) ?? place,
  }
  await printAnswer(io, {
    json: task.flags.json,
    schema: DeployDocument,
    value: document,
    lines: () => deployLines(document, { color: io.color, stateFile: task.stateFile }),
  })
  return exitOf(document)
}

/** What a service knows of the app: once it was told, or where there is nothing else to show. */
function provenanceOf(client: ApiClient | null, state: DeployState, announcement: Announcement): string | null {
  const app = appOf(state)
  const told = (announcement?.deployment ?? null) !== null || state.verification === null
  return client === null || app === null || !told ? null : client.url(`v1/apps/${app}`).href
}

function ranAt({ status, why }: Look): boolean {
  return status === 'running' && why === null
}

function verdictOf({ verification, deployment }: DeployState, now: Look | null): DeployDocument['verdict'] {
  const verdict = verification?.verdict ?? null
  if (verdict !== null && verdict !== 'reproduced') return verdict === 'undecided' ? null : 'failed'
  if (now !== null) return ranAt(now) ? 'running' : now.why === null ? null : 'gone'
  const { state } = deployment ?? {}
  return state === 'running' || state === 'denied' || state === 'failed' ? state : null
}

function exitOf({ verdict, verification }: DeployDocument): ExitCode {
  if (verdict === 'running') return EXIT.yes
  if (verdict !== null) return EXIT.no
  return verification?.verdict === 'undecided' ? exitOfVerdict('undecided') : EXIT.unknown
}

function cancelled(): Failure {
  return new Failure({
    code: 'deploy-rebuild-cancelled',
    message: 'the rebuild was cancelled, so there is no verdict to deploy by',
    hint: 'run this again to have it rebuilt anew; nothing was started',
  })
}
