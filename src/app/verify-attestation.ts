import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { CHECK_NAMES } from '../../attestations/verify/check.ts'
import { readKeys } from '../../attestations/verify/key-names.ts'
import { type AttestationPolicy, requirePolicy } from '../../attestations/verify/policy.ts'
import { REJECTIONS } from '../../attestations/verify/rejections.ts'
import type { TrustedRoot } from '../../attestations/verify/trusted-root.ts'
import { verifyAttestation } from '../../attestations/verify/verify-attestation.ts'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { namedChunks } from '../../verifier/bytes/named-file.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { sha256Of } from '../../verifier/model/hex-digest.ts'
import type { PinnedReference } from '../../verifier/model/image-reference.ts'
import { ATTESTATION_CHECK_SCHEMA, type AttestationCheckDocument } from './attestation-check.ts'
import { bundlesIn } from './bundle-documents.ts'

/** Where bundles are: in a file, beside an image in a registry, behind an URL of Bitwitness. */
export type BundleSource =
  | { readonly kind: 'file'; readonly path: string }
  /** `NAME@sha256:…`; the statement is about that manifest. */
  | { readonly kind: 'image'; readonly image: PinnedReference }
  | { readonly kind: 'url'; readonly url: URL }
  /** At hand. */
  | { readonly kind: 'bundles'; readonly bundles: readonly Uint8Array[] }

export type FoundBundles = {
  readonly bundles: readonly Uint8Array[]
  /** What is listed and could not be had, with the reason. */
  readonly skipped: AttestationCheckDocument['skipped']
  /** Whether there are more than were looked at. */
  readonly truncated: boolean
}

export type TrustedRootChoice = { readonly file: string | null; readonly refresh: boolean }

/** What verifying needs from around it. */
export interface VerifyAttestationPorts {
  now(): Date
  trustedRoot(
    choice: TrustedRootChoice,
    signal: AbortSignal,
  ): Promise<{ readonly origin: 'file' | 'snapshot' | 'refreshed'; readonly root: TrustedRoot }>
  /** The bundles that a registry lists as attached to an image, each with its digest verified. */
  bundlesOf(image: PinnedReference, signal: AbortSignal): Promise<FoundBundles>
  /** What an https URL answers, up to a size; no private address unless a setting allows it. */
  fetchDocument(url: URL, signal: AbortSignal): Promise<Uint8Array>
}

export type VerifyAttestationCommand = {
  readonly source: BundleSource
  /** The artifact itself, or its digest; null where the source says it (an image). */
  readonly artifact: { readonly file: string } | { readonly digest: Sha256 } | null
  readonly policy: Omit<AttestationPolicy, 'artifact'>
  readonly trustedRoot: TrustedRootChoice
  readonly signal: AbortSignal
}

/** Verifies every bundle of a source against one policy. One that is verified is enough: anybody may put others beside it. */
export async function verifyAttestations(
  ports: VerifyAttestationPorts,
  command: VerifyAttestationCommand,
): Promise<AttestationCheckDocument> {
  const { signal } = command
  const artifact = await artifactOf(command)
  const policy: AttestationPolicy = { ...command.policy, artifact }
  // What is wrong with the question is told before anything is fetched.
  const asked = describe(policy)
  const { origin, root } = await ports.trustedRoot(command.trustedRoot, signal)
  const { bundles: found, skipped, truncated } = await bundlesFrom(command, ports)
  const now = ports.now()
  const bundles: AttestationCheckDocument['bundles'] = []
  for (const bundle of found) {
    // Between two bundles who wants to stop is heard.
    await setImmediate()
    signal.throwIfAborted()
    bundles.push({ sha256: digestOf(bundle), ...verifyAttestation({ bundle, trustedRoot: root, policy, now }) })
  }
  const verified = bundles.find(({ verdict }) => verdict === 'verified')
  const nearest = verified ?? bundles.toSorted((a, b) => reached(b) - reached(a))[0]
  const { code, message } = nearest ?? MISSING
  return {
    schema: ATTESTATION_CHECK_SCHEMA,
    verdict: verified === undefined ? 'rejected' : 'verified',
    code,
    message,
    hint: code === null ? null : hintOf(code),
    asked,
    trustedRoot: { origin, sha256: root.sha256 },
    bundles,
    skipped,
    truncated,
  }
}

const MISSING = {
  code: 'attestation-missing',
  message: 'there is no attestation',
  hint: 'ask whoever published the artifact for one',
} as const

function hintOf(code: string): string {
  const known = (REJECTIONS as Readonly<Record<string, readonly [string, string]>>)[code]
  if (code === MISSING.code) return MISSING.hint
  return known?.[1] ?? 'do not rely on it: take the attestation again from who made it'
}

/** How far a bundle came: of the kind that was asked for before others, then by its first failed check. */
function reached({ checks }: AttestationCheckDocument['bundles'][number]): number {
  const ofKind = checks.some(({ name, result }) => name === 'predicate-type' && result === 'pass')
  const first = checks.findIndex(({ result }) => result === 'fail')
  return (ofKind ? CHECK_NAMES.length : 0) + first
}

async function artifactOf({ source, artifact, signal }: VerifyAttestationCommand): Promise<Sha256> {
  if (source.kind === 'image') {
    if (artifact === null) return source.image.digest
    throw new Failure({
      code: 'artifact-ambiguous',
      message: 'the image names the artifact, and so does a flag',
      hint: 'leave out --artifact and --digest: the statement must be about the image',
    })
  }
  if (artifact === null)
    throw new Failure({
      code: 'artifact-missing',
      message: 'nothing says which artifact the statement must be about',
      hint: 'give --artifact FILE or --digest sha256:…',
    })
  return 'digest' in artifact ? artifact.digest : await hashFile(artifact.file, signal)
}

async function hashFile(file: string, signal: AbortSignal): Promise<Sha256> {
  const hash = createHash('sha256')
  for await (const part of namedChunks(file, { what: 'the artifact', signal })) hash.update(part)
  return sha256Of(hash)
}

async function bundlesFrom({ source, signal }: VerifyAttestationCommand, ports: VerifyAttestationPorts): Promise<FoundBundles> {
  switch (source.kind) {
    case 'file':
      return { bundles: await bundlesIn(namedChunks(source.path, { what: 'the bundle', signal })), skipped: [], truncated: false }
    case 'image':
      return await ports.bundlesOf(source.image, signal)
    case 'bundles':
      return { bundles: source.bundles, skipped: [], truncated: false }
    case 'url':
      return { bundles: await bundlesIn([await ports.fetchDocument(source.url, signal)]), skipped: [], truncated: false }
  }
}

function describe(policy: AttestationPolicy): AttestationCheckDocument['asked'] {
  const { signer, artifact, predicateType, maxAgeSeconds = null } = policy
  const thresholds = requirePolicy(policy)
  return {
    artifact,
    predicateType,
    signer:
      signer.kind === 'key'
        ? { kind: 'key', fingerprints: readKeys(signer.publicKeys).map(({ fingerprint }) => fingerprint) }
        : { kind: 'certificate', subjectAlternativeName: signer.subjectAlternativeName, issuer: signer.issuer },
    thresholds,
    maxAgeSeconds,
  }
}
