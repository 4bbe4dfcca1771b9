import type { GatewayUrl } from '../deploy/gateway-url.ts'
import { type GuestAttestation, type GuestInfo, MOST_ANSWER_BYTES, readGuestAttestation, readGuestInfo } from './guest-answers.ts'
import type { GuestAnswer, GuestDoor } from './inspect-ports.ts'

/** What was asked for, or why it is not there. `absent`: a whole answer says no. `malformed`: a whole answer is something else. */
export type Told<T> =
  | { readonly value: T }
  | { readonly value: null; readonly why: 'absent' | 'malformed' | 'unanswered'; readonly reason: string }

export type AskedGuest = {
  readonly info: Told<GuestInfo>
  readonly attestation: Told<GuestAttestation>
  readonly root: GuestAnswer
  /** Null: nobody asked. */
  readonly health: GuestAnswer | null
}

/** Where a guest agent listens. */
const AGENT_PORT = 8090
/** Of what an app answers: nothing but the status is looked at. */
const MOST_PAGE_BYTES = 1 << 20

const WHY: Readonly<Record<(GuestAnswer & { status: null })['why'], string>> = {
  unreachable: 'it could not be connected to',
  private: 'its name leads to an address that is not public',
  late: 'it did not answer in time',
  'too-large': 'its answer is larger than any such answer',
  'cut-short': 'its answer broke off',
  untrusted: 'its certificate is of no authority that is trusted here',
}

/** Asks the app at its URL, and the guest agent beside it, all at once. Rejects as the door does. */
export async function askGuest(
  door: GuestDoor,
  { url, healthPath, signal }: { readonly url: GatewayUrl; readonly healthPath: string | null; readonly signal: AbortSignal },
): Promise<AskedGuest> {
  const agent: GatewayUrl = { ...url, port: AGENT_PORT, way: 'http', path: '/' }
  const page = (path: string) => door.ask({ url, path, maxBytes: MOST_PAGE_BYTES }, signal)
  const [info, attestation, root, health] = await Promise.all([
    infoOf(door, agent, signal),
    door.ask(
      { url: agent, path: '/prpc/GetAttestationForAppKey?json', json: { algorithm: 'secp256k1' }, maxBytes: MOST_ANSWER_BYTES },
      signal,
    ),
    page('/'),
    healthPath === null ? null : page(healthPath),
  ])
  return { info: told(info, readGuestInfo), attestation: told(attestation, readGuestAttestation), root, health }
}

/** Before 0.5.3 an agent has it under another name. */
async function infoOf(door: GuestDoor, url: GatewayUrl, signal: AbortSignal): Promise<GuestAnswer> {
  const ask = (path: string) => door.ask({ url, path, maxBytes: MOST_ANSWER_BYTES }, signal)
  const answer = await ask('/prpc/Info')
  return answer.status === 404 || answer.status === 400 ? await ask('/prpc/Worker.Info') : answer
}

function told<T>(answer: GuestAnswer, read: (body: Uint8Array) => T | undefined): Told<T> {
  if (answer.status === null) return { value: null, why: 'unanswered', reason: reasonOf(answer) }
  if (answer.status !== 200) return { value: null, why: 'absent', reason: `the guest agent answers HTTP ${answer.status}` }
  const value = read(answer.body)
  return value === undefined ? { value: null, why: 'malformed', reason: 'what the guest agent answers is nothing of the kind' } : { value }
}

export function reasonOf({ why }: GuestAnswer & { status: null }): string {
  return WHY[why]
}
