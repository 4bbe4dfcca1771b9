import { randomUUID } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { z } from 'zod'
import type { LimitKind, SandboxFacts } from '../../model/attempt.ts'
import type { Job, Sandbox, SandboxEnd, SandboxIo, Usage } from '../sandbox.ts'
import type { AgentResult } from './agent-messages.ts'
import { containerSpec, LABEL_CPUSET, type SandboxSettings, sandboxFacts } from './container-spec.ts'
import { Conversation, type Stop } from './conversation.ts'
import type { DockerEngine } from './engine.ts'

/** How long a finished or killed container may take to be seen as ended, ms. */
const GRACE = 30_000

export type DockerSandboxOptions = {
  readonly engine: DockerEngine
  readonly image: string
  readonly settings: SandboxSettings
  /** In cpuset notation; asked for when the container is made. */
  readonly cpuset: () => Promise<string>
}

/** Runs one job in one container of a Docker engine. */
export class DockerSandbox implements Sandbox {
  readonly facts: SandboxFacts
  readonly outputBytes: number
  readonly #options: DockerSandboxOptions

  constructor(options: DockerSandboxOptions) {
    this.#options = options
    this.facts = sandboxFacts(options.settings)
    this.outputBytes = options.settings.limits.outputBytes
  }

  async run(job: Job, io: SandboxIo): Promise<SandboxEnd> {
    const { engine, settings } = this.#options
    if (io.signal.aborted) return { kind: 'cancelled' }
    const name = `bitwitness-${randomUUID()}`
    const volume = settings.workspace === 'volume' ? name : null
    await using cleanup = new AsyncDisposableStack()
    if (volume !== null) {
      cleanup.defer(() => engine.gone(() => engine.client.getVolume(volume).remove({ force: true })))
      await engine.asking('engine-create-failed', () => engine.client.createVolume({ Name: volume, Labels: { ...engine.labels } }))
    }
    const container = engine.client.getContainer(name)
    cleanup.defer(() => engine.gone(() => container.remove({ force: true, v: true })))
    const cpuset = await this.#options.cpuset()
    const labels = { ...engine.labels, [LABEL_CPUSET]: cpuset }
    const spec = containerSpec(settings, { image: this.#options.image, labels, cpuset, volume })
    await engine.asking('engine-create-failed', () => engine.client.createContainer({ ...spec, name }))
    const stream = await engine.asking('engine-start-failed', () =>
      container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true }),
    )
    const conversation = new Conversation(stream as Duplex, job, io, settings)
    cleanup.defer(() => conversation.close())
    await engine.asking('engine-start-failed', () => container.start())
    const stop = await conversation.finished()
    const end = stop.kind === 'closed' ? await this.#examine(container, conversation) : await afterStop(stop)
    io.removal?.(cleanup.move().disposeAsync())
    return end
  }

  /** The stream is over: a result makes sense of it, or the engine's own record does. */
  async #examine(container: ReturnType<DockerEngine['client']['getContainer']>, conversation: Conversation): Promise<SandboxEnd> {
    const result = conversation.result
    if (result !== undefined) {
      const usage: Usage = { cpuMs: result.cpuMs, peakMemoryBytes: result.peakMemoryBytes }
      if (result.exit === 0) return conversation.outputComplete ? { kind: 'finished', exit: 0, usage } : LOST
      const limit = limitBehind(result)
      if (limit !== null) return { kind: 'limit', limit, usage }
      if (result.exit === null) return { kind: 'source-rejected' }
      return { kind: 'finished', exit: result.exit, usage }
    }
    try {
      await container.wait({ condition: 'not-running', abortSignal: AbortSignal.timeout(GRACE) })
      const { State } = ContainerInspect.parse(await container.inspect())
      if (State.OOMKilled) return { kind: 'limit', limit: 'memory', usage: null }
      return { kind: 'lost', supervisorBroken: State.ExitCode === AGENT_BROKEN }
    } catch {
      return LOST
    }
  }
}

const LOST: SandboxEnd = { kind: 'lost', supervisorBroken: false }
/** Exit code of an agent that failed by an exception; only what runs beside it can bring that about. */
const AGENT_BROKEN = 71
const ContainerInspect = z.object({ State: z.object({ OOMKilled: z.boolean(), ExitCode: z.int() }) })

/** A failed build that hit a bound is said to have hit it; a build that succeeded in spite of one is a success. */
function limitBehind(result: AgentResult): LimitKind | null {
  if (result.oomKills > 0) return 'memory'
  if (result.full) return 'disk'
  if (result.forksDenied > 0) return 'processes'
  return null
}

async function afterStop(stop: Exclude<Stop, { kind: 'closed' }>): Promise<SandboxEnd> {
  if (stop.kind === 'failed') throw stop.error
  return stop.kind === 'cancelled' ? { kind: 'cancelled' } : { kind: 'limit', limit: stop.limit, usage: null }
}
