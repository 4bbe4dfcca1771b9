import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { type ComposeLint, lintCompose } from '../compose/lint-compose.ts'
import { formatGatewayUrl, type GatewayUrl } from '../deploy/gateway-url.ts'
import { appLines, type Deployed } from './app-lines.ts'
import { askGuest } from './ask-guest.ts'
import { bootLines } from './boot-lines.ts'
import type { BootMeasurement } from './boot-measurements.ts'
import { type Evidence, evidenceOf, factsOf } from './evidence.ts'
import { hardwareLines } from './hardware-lines.ts'
import { imageLines, imagesOf, type Judged, policyLines } from './image-lines.ts'
import type { GateQuestion, InspectPorts, QuoteCheck } from './inspect-ports.ts'
import { INSPECTION_SCHEMA, type Inspection, verdictOf } from './inspection.ts'
import { lineOf } from './lines.ts'
import { liveLines } from './live-lines.ts'
import { urlBinding } from './url-binding.ts'

export type InspectApp = {
  readonly url: GatewayUrl
  /** Asked beside `/`; with a slash at its beginning. Null: none. */
  readonly healthPath: string | null
  /** What images are known to measure to; null: nothing is known. */
  readonly measurements: readonly BootMeasurement[] | null
  /** What is to run there, by whoever deployed it: whatever the URL names, the guest has to have measured this. Null, or not given: nobody says. */
  readonly deployed?: Deployed | null
  readonly signal: AbortSignal
}

/**
 * Looks at what runs behind a gateway's URL, and says of every link between the URL and our attestations whether it holds. A mismatch is a line. Fails
 * with `inspect-gateway`, as the door does, and as the gate does where it is the policy that stops it.
 */
export async function inspectApp(
  ports: InspectPorts,
  { url, healthPath, measurements, deployed = null, signal }: InspectApp,
): Promise<Inspection> {
  if (url.id === 'gateway')
    throw new Failure({
      code: 'inspect-gateway',
      message: 'this is the URL of a gateway, and of no app',
      hint: 'give the URL of an app: https://APP_ID-PORT.DOMAIN',
    })
  const now = ports.now()
  const asked = await askGuest(ports.guest, { url, healthPath, signal })
  const { simulated } = ports.quotes
  const evidence = evidenceOf(asked, await signatureOf(ports, asked.attestation.value?.quote ?? null, now, signal), measurements)
  const appCompose = asked.info.value?.appCompose ?? null
  const lint = appCompose === null ? null : readLint(appCompose)
  const judged = await judge(ports, evidence, lint, signal)
  const lines = [
    ...liveLines(evidence),
    ...hardwareLines(evidence, { simulated, decision: decisionOf(judged) }),
    ...bootLines(evidence),
    ...appLines(evidence, { url, deployed }, lint),
    ...imageLines(lint, judged, evidence.believed),
    ...policyLines(judged, evidence.believed),
    lineOf('url-binding', await urlBinding(evidence, { url, quotes: ports.quotes, now, signal })),
  ].map((line) => (simulated && line.needed && line.status === 'pass' ? { ...line, reason: `SIMULATED: ${line.reason}` } : line))
  const facts = factsOf(evidence)
  return {
    schema: INSPECTION_SCHEMA,
    verdict: verdictOf(lines, { simulated }),
    at: now.toISOString(),
    url: formatGatewayUrl(url),
    app: {
      id: facts?.appId ?? asked.info.value?.appId ?? null,
      instanceId: facts?.instanceId ?? asked.info.value?.instanceId ?? null,
      composeHash: facts?.composeHash ?? null,
      osImageHash: evidence.measured?.osImageHash ?? facts?.osImageHash ?? asked.info.value?.osImageHash ?? null,
    },
    tcb: evidence.signature.result === 'valid' ? { ...evidence.signature.tcb, advisories: [...evidence.signature.tcb.advisories] } : null,
    lines,
    images: imagesOf(lint),
    quote: asked.attestation.value?.quote == null ? null : digestOf(asked.attestation.value.quote),
    appCompose: appCompose === null ? null : digestOf(appCompose),
    policy: decisionOf(judged)?.policy ?? null,
  }
}

async function signatureOf(ports: InspectPorts, quote: Uint8Array | null, now: Date, signal: AbortSignal): Promise<QuoteCheck> {
  return quote === null ? { result: 'unable', reason: 'there is no quote' } : await ports.quotes.check(quote, now, signal)
}

/** What strangers had measured need not be readable. */
function readLint(appCompose: Uint8Array): ComposeLint | string {
  try {
    const lint = lintCompose(appCompose)
    return lint.kind === 'app-compose' ? lint : 'it is no app-compose'
  } catch (error) {
    if (error instanceof Failure) return error.message
    throw error
  }
}

/** Asks the gate about the app-compose that runs, and about the guest where hardware vouches for it. */
async function judge(ports: InspectPorts, evidence: Evidence, lint: ComposeLint | string | null, signal: AbortSignal): Promise<Judged> {
  const appCompose = evidence.asked.info.value?.appCompose ?? null
  if (ports.gate === null) return null
  const appId = factsOf(evidence)?.appId ?? evidence.asked.info.value?.appId ?? null
  if (appCompose === null || lint === null || typeof lint === 'string' || appId === null) return 'there is no app-compose to ask about'
  try {
    return await ports.gate({ appCompose, appId, guest: guestOf(evidence) }, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof Failure)) throw error
    return `what is attested could not be asked for (${error.code})`
  }
}

function guestOf(evidence: Evidence): GateQuestion['guest'] {
  const { signature, measured } = evidence
  const facts = factsOf(evidence)
  if (facts === null || signature.result !== 'valid' || measured === null) return null
  const { appId, composeHash } = facts
  return { by: 'kms', appId, composeHash, osImageHash: measured.osImageHash, deviceId: signature.deviceId, tcb: signature.tcb }
}

function decisionOf(judged: Judged) {
  return judged === null || typeof judged === 'string' ? null : judged
}
