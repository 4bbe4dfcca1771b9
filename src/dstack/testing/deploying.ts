import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { advanceDeployment, type DeployPorts } from '../../app/deploy/advance-deployment.ts'
import type { AppEnvironment, DeployTarget } from '../../app/deploy/deploy-target.ts'
import { DEPLOYMENT_SCHEMA, Deployment, DeployOrder } from '../../app/deploy/deployment.ts'
import { isOver, progressOf } from '../../app/deploy/deployment-state.ts'

export type Deploying = {
  readonly target: DeployTarget
  readonly appCompose: string
  readonly order?: Partial<Pick<DeployOrder, 'name' | 'appId' | 'unpredicted' | 'options'>>
  readonly environment?: AppEnvironment | null
  /** App-composes that the policy denies, by what is in them. */
  readonly denies?: (appCompose: string) => boolean
  /** Steps, by their number from 0, after which the process is killed: what happened is not written down. */
  readonly kills?: ReadonlySet<number>
  readonly mostSteps?: number
  readonly stepMs?: number
}

/** Runs a deployment to its end, or for some steps, against a target; with what the gate was asked, and what passed by as failures. */
export async function deploying(o: Deploying) {
  const { target, environment = null, denies = () => false, kills = new Set(), mostSteps = 60, stepMs = 1000 } = o
  const bytes = Buffer.from(o.appCompose)
  const kept = new Map<Sha256, Uint8Array>([[digestOf(bytes), bytes]])
  const asked: { readonly appCompose: string; readonly appId: string; readonly osImageHash: string | null }[] = []
  const passed: Failure[] = []
  let now = Date.parse('2026-11-28T00:00:00Z')
  const ports: DeployPorts = {
    target,
    environment,
    now: () => new Date(now),
    decide: async ({ appCompose, appId, osImageHash }) => {
      const text = Buffer.from(appCompose).toString()
      asked.push({ appCompose: text, appId, osImageHash })
      return await Promise.resolve(decisionOf(denies(text) ? 'deny' : 'allow', new Date(now).toISOString()))
    },
    keep: async (content) => {
      kept.set(digestOf(content), content)
      return await Promise.resolve(digestOf(content))
    },
    load: async (sha256) => await Promise.resolve(kept.get(sha256) ?? new Uint8Array()),
    live: async () => await Promise.resolve({ url: null, answers: [] }),
  }
  let deployment: Deployment = {
    schema: DEPLOYMENT_SCHEMA,
    state: 'ordered',
    id: '01890000-0000-7000-8000-000000000000',
    target: target.kind,
    policy: 'production',
    orderedAt: new Date(now).toISOString(),
    order: DeployOrder.parse({ name: 'app-one', ...o.order, appCompose: digestOf(bytes) }),
    events: [],
  }
  for (let step = 0; step < mostSteps && !isOver(deployment.state); step += 1) {
    now += stepMs
    try {
      const { events } = await advanceDeployment(ports, deployment, new AbortController().signal)
      if (kills.has(step)) continue
      const after = { ...deployment, events: [...deployment.events, ...events] }
      deployment = Deployment.parse({ ...after, state: progressOf(after).state })
    } catch (error) {
      if (!(error instanceof Failure) || !error.retryable) throw error
      passed.push(error)
    }
  }
  const end = deployment.events.at(-1)
  return { deployment, asked, passed, state: deployment.state, why: end?.kind === 'ended' ? end.why.code : null }
}

type Decision = Awaited<ReturnType<DeployPorts['decide']>>

function decisionOf(decision: 'allow' | 'deny', at: string): Decision {
  const said = { schema: 'bitwitness/decision/v1', decision, judged: decision, mode: 'enforce', at } as const
  return { ...said, policy: { name: 'production', sha256: digestOf('policy') }, app: null, images: [], rules: [], attestations: [] }
}
