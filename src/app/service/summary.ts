import type { StatementSigner } from '../../../attestations/sign/statement-signer.ts'
import { encodeStatement } from '../../../attestations/statement/encode.ts'
import { PREDICATE_TYPE } from '../../../attestations/statement/predicate-types.ts'
import { type VsaInput, vsaOf } from '../../../attestations/statement/vsa.ts'
import { oneChunk } from '../../../verifier/bytes/one-chunk.ts'
import type { BlobStore, StoredBlob } from '../../../verifier/model/blob-store.ts'
import { firstFailure } from '../../../verifier/model/failure.ts'
import type { Standing, StandingKey } from '../store/gate-ports.ts'
import { retriedBy } from '../store/retry-delay.ts'
import type { Reads } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import type { JobEnd, JobWork } from './job-runner.ts'
import type { ServiceFacts } from './service-events.ts'
import { signedBy } from './signed-by.ts'

export type SummaryPorts = ServicePorts & {
  readonly reads: Pick<Reads, 'gateStandings'>
  readonly blobs: BlobStore
  /** As statements about verdicts have it. */
  readonly signer: () => Promise<{ readonly signer: StatementSigner; readonly builderBase: string }>
  /** Where the service is reached, for whoever reads the statement; with a slash at its end. */
  readonly base: URL
  /** Of the program. */
  readonly version: string
}

/** How often an app-compose is summarised under one policy, at most: what goes to and fro meanwhile is signed as it stands then, or not at all. */
export const SUMMARY_EVERY_MS = 10 * 60_000

/** Signs how an app-compose stands with a policy, once for each change, and publishes it. Whatever a signature waits for, it is not given up. */
export function summaryWork(ports: SummaryPorts): JobWork<'summary'> {
  return async ({ data: key, tries }, signal) => {
    const standing = await ports.reads.gateStandings.read(key)
    if (standing === undefined || isSigned(standing)) return { end: 'done', more: moreOf(ports, key) }
    try {
      return publishing(ports, standing, await sign(ports, standing, signal))
    } catch (thrown) {
      signal.throwIfAborted()
      const error = firstFailure(thrown)
      const nextAt = retriedBy(ports.now(), tries)
      return { end: 'again', told: () => ports.events?.summaryFailed?.({ app: key.appId, policy: key.policySha256, error, tries, nextAt }) }
    }
  }
}

/** When the summary may be signed: at once (null), unless one was signed just before. */
export function summaryTime({ signedAt }: Pick<Standing, 'signedAt'>, now: Date): Date | null {
  const at = signedAt === null ? now : new Date(signedAt.getTime() + SUMMARY_EVERY_MS)
  return at > now ? at : null
}

function isSigned({ admitted, result, signedResult }: Standing): boolean {
  return !admitted || result === signedResult
}

type Signed = { readonly bundle: StoredBlob; readonly signer: string }

async function sign(ports: SummaryPorts, standing: Standing, signal: AbortSignal): Promise<Signed> {
  const { signer, builderBase } = await ports.signer()
  const text = await signer.sign(encodeStatement(vsaOf(summaryInput(standing, { ...ports, builderBase }))), { signal, owner: null })
  return { bundle: await ports.blobs.put(oneChunk(text)), signer: await signedBy(signer, text, signal) }
}

/** What is signed of a standing: about the app-compose and the images that were judged, by the rules alone, whatever the policy's mode. */
export function summaryInput(
  { appId, composeHash, policy, result, document }: Pick<Standing, 'appId' | 'composeHash' | 'policy' | 'result' | 'document'>,
  { builderBase, base, version }: Pick<SummaryPorts, 'base' | 'version'> & { readonly builderBase: string },
): VsaInput {
  const at = (path: string): string => new URL(path, base).href
  const images = document.images.flatMap(({ name, digest }) =>
    name === null || digest === null ? [] : [{ name, digest: { sha256: digest } }],
  )
  return {
    verifier: { id: `${builderBase.replace(/\/+$/, '')}/gate`, version },
    timeVerified: document.at,
    subjects: [{ name: 'app-compose.json', digest: { sha256: composeHash } }, ...images],
    resourceUri: `bitwitness:app/${appId}`,
    policy: { uri: at(`v1/policies/${policy}`), sha256: document.policy.sha256 },
    inputAttestations: document.attestations.map((sha256) => ({ uri: at(`v1/blobs/${sha256}`), sha256 })),
    // Nothing less than bit-exact is ever attested as reproduced.
    passed: result === 'passed' ? { tier: 'bit-exact' } : null,
  }
}

function publishing(ports: SummaryPorts, standing: Standing, { bundle, signer }: Signed): JobEnd<'summary'> {
  const { policySha256, appId, composeHash, result, changes: change } = standing
  const key = { policySha256, appId, composeHash }
  let signed: ServiceFacts['summarySigned'] | null = null
  return {
    end: 'done',
    write: async ({ attestations, blobs, gateStandings }) => {
      signed = null
      // Whoever had the job before may have published it and could not say so any more.
      const held = await gateStandings.hold(key)
      if (held === undefined || held.signedChange >= change) return
      const at = ports.now()
      const id = ports.newId()
      await blobs.keep([bundle], at)
      await attestations.publish({
        id,
        verificationId: null,
        predicateType: PREDICATE_TYPE.vsa,
        bundle: bundle.sha256,
        signer,
        createdAt: at,
      })
      await gateStandings.summarise({ ...key, attestationId: id, change, result }, at)
      signed = { policy: policySha256, app: appId, result, attestation: id, bundle: bundle.sha256 }
    },
    told: () => {
      if (signed !== null) ports.events?.summarySigned?.(signed)
    },
    more: moreOf(ports, key),
  }
}

/** What changed while the last one was signed. */
function moreOf(ports: Pick<SummaryPorts, 'now'>, key: StandingKey): NonNullable<Extract<JobEnd<'summary'>, { end: 'done' }>['more']> {
  return async ({ gateStandings }) => {
    const held = await gateStandings.hold(key)
    if (held === undefined || isSigned(held)) return null
    return { at: summaryTime(held, ports.now()) ?? ports.now(), data: key }
  }
}
