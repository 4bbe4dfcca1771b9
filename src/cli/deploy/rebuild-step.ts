import path from 'node:path'
import { type Claim, parseClaim } from '../../../verifier/model/claim.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { parsePinnedReference } from '../../../verifier/model/image-reference.ts'
import type { DeployState } from '../../app/deploy/deploy-state.ts'
import { push } from '../../app/push.ts'
import { imageOf } from '../../app/pushed-layout.ts'
import type { VerificationAnswer } from '../../client/answers.ts'
import type { ApiClient } from '../../client/api-client.ts'
import { followEvents } from '../../client/follow-events.ts'
import { signedVerification } from '../../client/signed-verification.ts'
import { submit } from '../../client/submit.ts'
import { formatSize } from '../../config/size.ts'
import type { CliIo } from '../cli-context.ts'
import { showProgress } from '../progress.ts'
import { placeOf } from '../render/submitted.ts'
import { showTransfer } from '../transfer-progress.ts'
import type { DeployBuild } from './deploy-task.ts'

type Verification = NonNullable<DeployState['verification']>

/** Pushes the image of a build; what is there already is not sent again. */
export async function pushBuild(
  io: CliIo,
  { built, to }: DeployBuild,
  artifact: string | null,
): Promise<NonNullable<DeployState['pushed']>> {
  await using room = await io.registry()
  using progress = showTransfer(io)
  const onProgress = ({ kind, done, total }: { readonly kind: string; readonly done: number; readonly total: number }): void =>
    progress.show(kind, done, total)
  const report = await push(room, { folder: built.folder, image: to, artifact, tags: [], dryRun: false, onProgress, signal: io.signal })
  return { image: report.image.pinned, composeHash: report.composeHash }
}

/**
 * Submits the build as its manifest describes it: the same again joins what was begun. Where the service may not fetch from the registry, it is told
 * nothing of where the image lies: a difference is then judged all the same, and not explained.
 */
export async function submitBuild(
  io: CliIo,
  o: { readonly client: ApiClient; readonly build: DeployBuild; readonly artifact: string | null; readonly image: string },
): Promise<VerificationAnswer> {
  const { client, build, image } = o
  const { built, source } = build
  const { lock } = built.manifest
  const at = (name: string): string => path.join(built.folder, name)
  const sent = async (claims: Claim[]): Promise<VerificationAnswer> => {
    await using scratch = await io.scratch()
    const { verification } = await submit(
      {
        client,
        scratch: scratch.path,
        onUpload: ({ what, blob }, done) => io.stderr.write(`${done ? 'sent' : 'sending'} ${what}, ${formatSize(blob.size)}\n`),
        signal: io.signal,
      },
      {
        source,
        claims,
        lock: lock === null ? null : at(lock.file),
        inputs: lock === null ? null : at(lock.inputs),
        attempts: 2,
        builder: null,
        maxAge: null,
        callback: null,
      },
    )
    return verification
  }
  const claims = claimsOf(build, o.artifact, image)
  const verification = await sent(claims).catch(async (error: unknown) => {
    if (!(error instanceof Failure && error.code === 'claim-location-refused')) throw error
    io.stderr.write('the service may not fetch from that registry: a difference would not be explained\n')
    return await sent(claims.map((claim) => ({ ...claim, location: null })))
  })
  io.stderr.write(`submitted ${verification.id}\n  ${placeOf(verification, client.url(''))}\n`)
  return verification
}

/** What the manifest says to claim, and the image that was pushed: a policy asks about that. */
function claimsOf({ built }: DeployBuild, artifact: string | null, image: string): Claim[] {
  const { digest } = parsePinnedReference(image)
  const claims = imageOf(built, artifact).claims.map(parseClaim)
  const others = claims.filter(({ kind, sha256 }) => kind !== 'oci-manifest' || sha256 !== digest)
  return [...others.map((claim) => ({ ...claim, location: image })), { kind: 'oci-manifest', name: null, sha256: digest, location: image }]
}

/** Follows a verification to its verdict, and waits for its statements. */
export async function followVerification(
  io: CliIo,
  { client, id, verbose }: { readonly client: ApiClient; readonly id: string; readonly verbose: boolean },
): Promise<VerificationAnswer> {
  const progress = showProgress(io, { verbose })
  try {
    await followEvents({
      url: client.url(`v1/verifications/${id}/events`),
      onEvent: progress.emit,
      onLost: () => io.stderr.write('the connection was lost; it is made again\n'),
      signal: io.signal,
    })
    return await signedVerification(client, id, io.signal)
  } finally {
    progress.close()
  }
}

export function verificationState({ id, verdict, tier }: VerificationAnswer, client: ApiClient): Verification {
  return { id, server: client.url('').href, verdict, tier }
}
