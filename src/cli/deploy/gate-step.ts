import { nameMatches } from '../../../attestations/index.ts'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import type { DeployPorts } from '../../app/deploy/advance-deployment.ts'
import type { DeployDocument } from '../../app/deploy/deploy-document.ts'
import { type DecideDeployment, decideDeployment } from '../../app/gate/decide-deployment.ts'
import type { Decision } from '../../app/gate/decision.ts'
import { identityOf } from '../../app/service/statement-sources.ts'
import type { VerifyAttestationPorts } from '../../app/verify-attestation.ts'
import type { ApiClient } from '../../client/api-client.ts'

export type Admission = DeployDocument['admission']

export type GateStep = {
  readonly decide: DeployPorts['decide']
  /** What became of the admission. */
  readonly admission: () => Admission
}

type Question = Parameters<DeployPorts['decide']>[0]
type Asked = Pick<DecideDeployment, 'policy' | 'bundles' | 'trustedRoot'>
type Ports = Pick<VerifyAttestationPorts, 'now' | 'trustedRoot' | 'bundlesOf'>
/** Where rebuilds are kept, and the one of this deployment, if there was one. */
export type GateService = { readonly client: ApiClient; readonly verification: string | null }

/** Verifications of one image whose bundles are looked at: the newest. */
const MOST_ABOUT = 20

/**
 * Decides by what a service signed, else by what lies beside the images. What is allowed is admitted at the service before it starts, so that its
 * KMS webhook knows the bytes; where nothing is missing but the admission, that comes first, and the policy says whether whoever admits may.
 */
export function gateStep(ports: Ports, asked: Asked, service: GateService | null): GateStep {
  let admission: Admission = null
  const client = service?.client ?? null
  const known = service === null ? ports : withService(ports, service)
  const decide = async (question: Question, signal: AbortSignal): Promise<Decision> => {
    const ask = async (): Promise<Decision> =>
      await decideDeployment(known, { ...asked, ...question, admittedBy: await admitterOf(client, asked, question, signal), signal })
    const first = await ask()
    const failed = first.rules.filter(({ result }) => result === 'fail')
    if (client === null || failed.some(({ rule }) => rule !== 'compose-admitted')) return first
    admission = await admit(client, question, signal)
    return failed.length > 0 && admission.admitted ? await ask() : first
  }
  return { decide, admission: () => admission }
}

async function admit(client: ApiClient, { appId: app, appCompose }: Question, signal: AbortSignal): Promise<NonNullable<Admission>> {
  const composeHash = digestOf(appCompose)
  try {
    await client.admit({ app, composeHash, bytes: appCompose }, signal)
    return { app, composeHash, admitted: true, code: null }
  } catch (error) {
    // Whoever may not admit may still deploy what somebody else admits, or what no KMS of this service is asked about.
    if (error instanceof Failure && !error.retryable) return { app, composeHash, admitted: false, code: error.code }
    throw error
  }
}

/** Of those who admitted it one who may, if there is one. */
async function admitterOf(
  client: ApiClient | null,
  { policy }: Asked,
  { appId, appCompose }: Question,
  signal: AbortSignal,
): Promise<string | null> {
  if (client === null) return null
  const composeHash = digestOf(appCompose)
  const found = (await client.composesOf(appId, signal)).filter((one) => one.composeHash === composeHash)
  const identities = found.map(({ admittedBy }) => identityOf(admittedBy))
  const admitters = policy.policy.apps[appId]?.admitters ?? []
  return identities.find((identity) => admitters.some((pattern) => nameMatches({ pattern }, identity))) ?? identities[0] ?? null
}

function withService(ports: Ports, service: GateService): Ports {
  return {
    now: () => ports.now(),
    trustedRoot: async (choice, signal) => await ports.trustedRoot(choice, signal),
    async bundlesOf(image, signal) {
      const bundles = await bundlesAbout(service, image.digest, signal)
      return bundles.length > 0 ? { bundles, skipped: [], truncated: false } : await ports.bundlesOf(image, signal)
    },
  }
}

/** Anybody may submit about a digest: the rebuild of this deployment is looked at first. */
async function bundlesAbout({ client, verification }: GateService, digest: Sha256, signal: AbortSignal): Promise<readonly Uint8Array[]> {
  const own = verification === null ? [] : [await client.verification(verification, signal)]
  const about = [...own, ...(await client.about(digest, signal))].slice(0, MOST_ABOUT)
  const bundles = new Set(about.flatMap(({ attestations }) => attestations.map(({ bundle }) => bundle)))
  return await Promise.all([...bundles].slice(0, 2 * MOST_ABOUT).map(async (bundle) => await client.blob(bundle, signal)))
}
