import { Failure, firstFailure } from '../../../verifier/model/failure.ts'
import type { ScratchFolder } from '../ports.ts'
import { retriedBy } from '../store/retry-delay.ts'
import type { HeldVerification, Reads, TakenJob, Unit } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import { type CurrentBuilderPorts, currentBuilder } from './current-builder.ts'
import { giveVerdict } from './end-verification.ts'
import { holdVerification } from './hold-verification.ts'
import type { JobEnd, JobWork } from './job-runner.ts'
import { NotedBlobs } from './noted-blobs.ts'
import { preparationTrouble } from './preparation-failures.ts'
import { type PreparedSource, prepareSource, type SourcePorts } from './prepare-source.ts'
import { openPrepared } from './prepare-verification.ts'
import { refusedVerdict } from './refused-verdict.ts'
import { reuseAttempts } from './reuse-attempts.ts'
import { VerificationEvents } from './verification-events.ts'

export type PreparationPorts = ServicePorts &
  Omit<SourcePorts, 'findBuilder'> &
  CurrentBuilderPorts & {
    readonly reads: Pick<Reads, 'builders' | 'verifications' | 'workers'>
    /** A private folder, removed at the end. */
    readonly scratch: () => Promise<ScratchFolder>
    /** Of this program. */
    readonly version: string
  }

/** How often trouble that may pass is waited out, with the queue's growing delay; some minutes in all. */
export const PREPARATION_TRIES = 6
/** How often it is tried at all: a source that ends the process each time it is read is not read for ever. */
const MOST_TRIES = 25

/**
 * Pins the source of an accepted verification and reads its recipe (DESIGN §3). Then attempts are opened, or an earlier rebuild answers, or
 * a rule refuses the recipe; or it stays undecided, where the source cannot be had.
 */
export function preparationWork(ports: PreparationPorts): JobWork<'preparation'> {
  return async (job, signal) => {
    const { verificationId } = job.data
    const held = await ports.unitOfWork.run(({ verifications }) => verifications.hold(verificationId))
    if (held?.life.state !== 'accepted') return { end: 'done' }
    const events = new VerificationEvents(ports, verificationId)
    if (job.tries > MOST_TRIES) return undecided(ports, { verificationId, events, failure: machineFailure() })
    try {
      await using blobs = new NotedBlobs(ports.blobs, ports)
      await using scratch = await ports.scratch()
      const o = { scratch: scratch.path, events, signal }
      const source = await prepareSource({ ...ports, blobs, findBuilder: (digest) => ports.reads.builders.find(digest) }, held, o)
      return await prepared({ ...ports, blobs }, { verificationId, held, source, events })
    } catch (error) {
      signal.throwIfAborted()
      return notPrepared(ports, { job, events, failure: asFailure(firstFailure(error)) })
    }
  }
}

async function prepared(
  ports: PreparationPorts,
  o: { verificationId: string; held: HeldVerification; source: PreparedSource; events: VerificationEvents },
): Promise<JobEnd<'preparation'>> {
  const { verificationId, held, source, events } = o
  const refused = source.refused ? await refusedVerdict(ports, { verificationId, held, source }) : null
  const { maxAgeSeconds, builder, trusted } = held.submission
  const open = maxAgeSeconds !== null && builder === null
  const current = open ? await currentBuilder(ports, { architecture: source.prepared.architecture, trusted }) : null
  return whileAccepted(verificationId, async (unit) => {
    const at = ports.now()
    await unit.blobs.refer({ ...source.tar, verificationId, role: 'source', at })
    await events.write(unit)
    if (refused !== null) {
      await unit.verifications.prepare(verificationId, source.prepared)
      return telling(ports.events?.verdictGiven, await giveVerdict(unit, ports, { verificationId, decision: refused }))
    }
    const { lock } = source
    if (lock !== null) {
      await unit.blobs.refer({ sha256: lock.sha256, size: lock.size, verificationId, role: 'lock', at })
      await unit.blobs.lockInputs({ lock: lock.sha256, inputs: lock.inputs, at })
    }
    const { prepared: now } = source
    const reused = await reuseAttempts(unit, ports, { verificationId, held, prepared: now, current })
    if (reused !== null) return telling(ports.events?.submissionReused, reused)
    return telling(ports.events?.submissionPrepared, await openPrepared(unit, ports, { verificationId, prepared: now }))
  })
}

type Tell = () => void

/** What is told once the transaction is over; nothing where nothing changed. */
function telling<F>(tell: ((facts: F) => void) | undefined, facts: F | null): Tell {
  return () => {
    if (facts !== null) tell?.(facts)
  }
}

/** It may have been cancelled meanwhile: then nothing is left to do. */
function whileAccepted(verificationId: string, write: (unit: Unit) => Promise<Tell>): JobEnd<'preparation'> {
  let tell: Tell = () => {}
  return {
    end: 'done',
    write: async (unit) => {
      if ((await holdVerification(unit, verificationId)).life.state === 'accepted') tell = await write(unit)
    },
    told: () => tell(),
  }
}

function notPrepared(
  ports: PreparationPorts,
  { job, events, failure }: { job: TakenJob<'preparation'>; events: VerificationEvents; failure: Failure },
): JobEnd<'preparation'> {
  const trouble = preparationTrouble(failure)
  // Not the source's, as far as we know: told to the operator, and tried again.
  if (trouble === undefined) throw failure
  const again = trouble === 'may-pass' && job.tries < PREPARATION_TRIES
  const nextAt = again ? retriedBy(ports.now(), job.tries) : null
  if (failure.audience === 'operator')
    ports.events?.jobFailed?.({ kind: 'preparation', job: job.id, tries: job.tries, nextAt, error: failure })
  if (again) return { end: 'again', write: (unit) => events.write(unit) }
  return undecided(ports, { verificationId: job.data.verificationId, events, failure })
}

function undecided(
  ports: PreparationPorts,
  { verificationId, events, failure }: { verificationId: string; events: VerificationEvents; failure: Failure },
): JobEnd<'preparation'> {
  const { code, message, audience } = failure
  const reason = { code, message: audience === 'caller' ? message : MACHINE }
  const nothing = { builder: null, report: null, artifacts: [], blobs: [], statements: [] }
  return whileAccepted(verificationId, async (unit) => {
    await events.write(unit)
    const decision = { verdict: 'undecided', tier: null, reasons: [reason], ...nothing } as const
    return telling(ports.events?.verdictGiven, await giveVerdict(unit, ports, { verificationId, decision }))
  })
}

const MACHINE = 'the service itself could not prepare the source'

/** What the operating system says about disk and memory is no defect of ours; anything else that is no failure is. */
function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (typeof code === 'string' && /^E[A-Z0-9]{2,20}$/.test(code)) return machineFailure(error)
  throw error
}

function machineFailure(cause?: unknown): Failure {
  return new Failure({
    code: 'preparation-machine',
    message: MACHINE,
    hint: 'submit it again later; whoever runs the service finds the cause in its log',
    audience: 'operator',
    cause,
  })
}
