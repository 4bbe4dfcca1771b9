import type { Sha256 } from '../../verifier/model/digest.ts'
import type { AttemptView, AttestationView, KnownView, OwnerView, VerificationView } from '../app/service/api-documents.ts'
import type { BuilderView, WorkerView } from '../app/service/machine-documents.ts'
import type { AttemptRead } from '../app/service/read-attempts.ts'
import type { KnownRead, VerificationRead } from '../app/service/read-verifications.ts'
import type { Attestation, Owner, StoredBuilder, Worker } from '../app/store/records.ts'
import { paths } from './paths.ts'

export function ownerView({ id, kind, name, issuer, subject }: Owner): OwnerView {
  return { id, kind, name, issuer, subject }
}

export function verificationView({ verification, owner, attestations, waiting }: VerificationRead): VerificationView {
  const { id, state, verdict, tier, source, pinned, claims, attemptsWanted, architecture, builder, lock, inputs } = verification
  const { reusedFrom, report, sourceTar, createdAt, finishedAt } = verification
  const shown = claims !== null
  return {
    id,
    state,
    verdict,
    tier,
    reasons: [...verification.reasons],
    owner: ownerView(owner),
    source,
    pinned,
    claims: shown ? [...claims] : null,
    attempts: attemptsWanted,
    architecture,
    builder,
    lock,
    inputs,
    reusedFrom,
    report,
    attestations: attestations.map(attestationView),
    unsigned: waiting.map(({ predicateType, tries, lastCode }) => ({ predicateType, tries, lastCode })),
    createdAt: createdAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
    links: {
      self: paths.verification(id),
      attempts: paths.attemptsOf(id),
      events: paths.eventsOf(id),
      recipe: sourceTar === null ? null : paths.recipeOf(id),
      report: report === null ? null : paths.blob(report),
      source: sourceTar === null || !shown ? null : paths.blob(sourceTar),
    },
  }
}

export function knownView(sha256: Sha256, { key, subjects, count, firstAt, newest }: KnownRead): KnownView {
  return {
    sha256,
    key,
    subjects: subjects.map(({ kind, name }) => ({ kind, name })),
    verification: verificationView(newest),
    count,
    firstAt: firstAt.toISOString(),
    links: { history: paths.known(sha256, key) },
  }
}

export function attestationView({ id, verificationId, predicateType, bundle, signer, createdAt }: Attestation): AttestationView {
  const links = { bundle: paths.blob(bundle) }
  return { id, verification: verificationId, predicateType, bundle, signer, createdAt: createdAt.toISOString(), links }
}

export function attemptView({ attempt, tries }: AttemptRead): AttemptView {
  const { id, verificationId, number, mode, life, report, createdAt, committedAt } = attempt
  return {
    id,
    verification: verificationId,
    number,
    mode,
    state: life.state,
    outcome: life.state === 'committed' ? life.outcome : null,
    report,
    tries: tries.map(({ number: which, worker, startedAt, endedAt, ending, reason }) => ({
      number: which,
      worker,
      startedAt: startedAt.toISOString(),
      endedAt: endedAt.toISOString(),
      ending,
      reason: reason?.code ?? null,
    })),
    createdAt: createdAt.toISOString(),
    committedAt: committedAt?.toISOString() ?? null,
    links: { self: paths.attempt(id), log: paths.attemptLog(id), events: paths.attemptEvents(id) },
  }
}

export function builderView({ digest, description, architecture, mkosi, addedAt }: StoredBuilder): BuilderView {
  const links = { description: paths.blob(description) }
  return { digest, description, architecture, mkosi, addedAt: addedAt.toISOString(), links }
}

export function workerView({ id, name, place, publicKey, capabilities, addedAt, revokedAt, lastSeenAt }: Worker): WorkerView {
  return {
    id,
    name,
    place,
    publicKey,
    capabilities,
    addedAt: addedAt.toISOString(),
    revokedAt: revokedAt?.toISOString() ?? null,
    lastSeenAt: lastSeenAt?.toISOString() ?? null,
  }
}
