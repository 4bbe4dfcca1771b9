import { z } from 'zod'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { readSmallFile } from '../../../verifier/bytes/small-file.ts'
import { writeWhole } from '../../../verifier/bytes/whole-file.ts'
import { Tier } from '../../../verifier/model/comparison.ts'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { shownName } from '../../../verifier/model/shown-name.ts'
import { parseStrictJson } from '../../../verifier/model/strict-json.ts'
import { Verdict } from '../../../verifier/model/verdict.ts'
import { Deployment } from './deployment.ts'
import { progressOf } from './deployment-state.ts'

const DEPLOY_STATE_SCHEMA = 'bitwitness/deploy-state/v1'

/** What an order says, by the names of its flags, as text; of files their digests, and of environment its names alone. */
export type DeployInputs = Readonly<Record<string, string>>

/** How far a deployment from this machine is; nothing of it is secret. */
export const DeployState = z.strictObject({
  schema: z.literal(DEPLOY_STATE_SCHEMA),
  inputs: z.record(z.string().max(64), z.string().max(8192)),
  pushed: z.strictObject({ image: z.string().max(1024), composeHash: Sha256 }).nullable(),
  verification: z
    .strictObject({ id: z.uuid(), server: z.string().max(2048), verdict: Verdict.nullable(), tier: Tier.nullable() })
    .nullable(),
  /** App-composes that the deployment names, by their sha256, in base64. */
  composes: z.record(Sha256, z.base64().max(512 * 1024)),
  deployment: Deployment.nullable(),
})
export type DeployState = z.infer<typeof DeployState>

const MAX_STATE = 16 << 20

/** Null where there is none. Fails with `deploy-state-unreadable`. */
export async function readDeployState(file: string, signal: AbortSignal): Promise<DeployState | null> {
  const read = await readSmallFile(file, { maxBytes: MAX_STATE, signal })
  if (read.bytes === null && read.why === 'absent') return null
  const state = read.bytes === null ? undefined : stateIn(read.bytes)
  if (state !== undefined && isTrue(state)) return state
  throw new Failure({
    code: 'deploy-state-unreadable',
    message: `${shownName(file)} does not say how far the deployment is`,
    hint: 'put back the file that was there; if you take it away, look at the target first for what may run there already',
  })
}

/** What it has come to is what its events say, and nothing else; and bytes are those of their sha256. */
function isTrue({ deployment, composes }: DeployState): boolean {
  const bytes = Object.entries(composes).every(([sha256, text]) => digestOf(Buffer.from(text, 'base64')) === sha256)
  return bytes && (deployment === null || progressOf(deployment).state === deployment.state)
}

/** The file is there whole, or as it was. Fails with `deploy-state-unwritten`: then nothing more is done. */
export async function writeDeployState(file: string, state: DeployState): Promise<void> {
  try {
    await writeWhole(file, `${JSON.stringify(DeployState.parse(state), null, 2)}\n`)
  } catch (cause) {
    throw new Failure({
      code: 'deploy-state-unwritten',
      message: `${shownName(file)} cannot be written`,
      hint: 'make its folder writable, or make room; then run it again: it goes on where it was',
      cause,
    })
  }
}

function stateIn(bytes: Uint8Array): DeployState | undefined {
  try {
    return DeployState.safeParse(parseStrictJson(bytes)).data
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}

/** What a step rests on: another of these, and it is taken again. */
const OF_PUSH = ['build', 'to', 'artifact']
const OF_VERIFICATION = [...OF_PUSH, 'source', 'server']

/**
 * Where to begin: what was done and still holds is kept. A deployment that is under way, or runs, is that of the same inputs and of no others: fails
 * with `deploy-input-changed`. One that was denied or failed is ordered anew, and so is another order where nothing was offered yet. `file` holds it.
 */
export function resumedState(
  before: DeployState | null,
  { inputs, file }: { readonly inputs: DeployInputs; readonly file: string },
): DeployState {
  if (before === null) return { schema: DEPLOY_STATE_SCHEMA, inputs, pushed: null, verification: null, composes: {}, deployment: null }
  const differing = [...new Set([...Object.keys(before.inputs), ...Object.keys(inputs)])].filter(
    (key) => before.inputs[key] !== inputs[key],
  )
  const state = before.deployment?.state ?? 'failed'
  const anew = state === 'failed' || state === 'denied' || (state === 'ordered' && differing.length > 0)
  if (!anew && differing.length > 0) throw inputChanged(differing, file)
  const keeps = (of: readonly string[]): boolean => !differing.some((key) => of.includes(key))
  const verdict = before.verification?.verdict ?? null
  return {
    ...before,
    inputs,
    pushed: keeps(OF_PUSH) ? before.pushed : null,
    verification: keeps(OF_VERIFICATION) && (verdict === null || verdict === 'reproduced') ? before.verification : null,
    ...(anew ? { composes: {}, deployment: null } : {}),
  }
}

export function inputChanged(names: readonly string[], file: string): Failure {
  return new Failure({
    code: 'deploy-input-changed',
    message: `another deployment was begun here, and this one differs in ${names.join(', ')}`,
    hint: `run the command as it was, to go on; or move ${shownName(file)} away, once you have looked at what the other one left at its target`,
    data: { inputs: names },
  })
}
