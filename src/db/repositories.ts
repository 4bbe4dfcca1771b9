import type { Reads, Repositories } from '../app/store/store-ports.ts'
import { attemptsOf } from './attempt-repository.ts'
import type { Database } from './database.ts'
import { deploymentsOf } from './deployment-repositories.ts'
import { forgottenBlobsOf } from './forgotten-blobs.ts'
import { composesOf, gateDecisionsOf } from './gate-repositories.ts'
import { gateStandingsOf } from './gate-standings.ts'
import { handedBlobsOf } from './handed-blobs.ts'
import { observationsOf } from './observation-repositories.ts'
import { idempotencyKeysOf, ownersOf, tokensOf } from './owner-repositories.ts'
import { attestationsOf, blobsOf, eventsOf } from './record-repositories.ts'
import { plainSession, type Session } from './session.ts'
import { buildersOf, uploadsOf } from './upload-repositories.ts'
import { verificationsOf } from './verification-repository.ts'
import { workersOf } from './worker-repository.ts'

export function repositories(session: Session): Repositories {
  return {
    owners: ownersOf(session),
    tokens: tokensOf(session),
    verifications: verificationsOf(session),
    idempotencyKeys: idempotencyKeysOf(session),
    attempts: attemptsOf(session),
    workers: workersOf(session),
    handedBlobs: handedBlobsOf(session),
    events: eventsOf(session),
    attestations: attestationsOf(session),
    blobs: blobsOf(session),
    uploads: uploadsOf(session),
    builders: buildersOf(session),
    forgottenBlobs: forgottenBlobsOf(session),
    composes: composesOf(session),
    deployments: deploymentsOf(session),
    observations: observationsOf(session),
    gateDecisions: gateDecisionsOf(session),
    gateStandings: gateStandingsOf(session),
  }
}

/** What may be read without a transaction. */
export function readsOf({ drizzle, guard }: Pick<Database, 'drizzle' | 'guard'>): Reads {
  return repositories(plainSession(drizzle, guard))
}
