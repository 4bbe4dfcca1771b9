import { writeSync } from 'node:fs'
import { acceptVerification } from '../src/app/service/accept-verification.ts'
import { cancelVerification } from '../src/app/service/end-verification.ts'
import { giveUpAttempts } from '../src/app/service/give-up-attempts.ts'
import { keepLease, type LeasedAttempt } from '../src/app/service/lease-attempt.ts'
import { reportAttempt } from '../src/app/service/report-attempt.ts'
import type { Unit, UnitOfWork } from '../src/app/store/store-ports.ts'
import { StoreRoom } from '../src/store-room.ts'
import { Random } from '../verifier/compare/testing/random.ts'
import { Secret } from '../verifier/model/secret.ts'
import { decideNext, hurry, loseWorkers, prepareNext } from './queued.ts'
import {
  addOwner,
  addWorker,
  bringUploads,
  Clock,
  commandOf,
  decisionOf,
  digestOf,
  leaseAny,
  portsOf,
  reportOf,
  submissionOf,
} from './stored.ts'

/**
 * `node test/crash-child.ts URL FOLDER SEED STEPS`: works on a store until it kills itself, after so many steps of units of work: before or
 * after one of their statements, or right after a commit. `accepted ID` is printed for each submission whose acceptance was answered.
 */
const [url = '', folder = '', seed = '0', steps = '1'] = process.argv.slice(2)
const source = new Random(Number(seed))
const random = (): number => source.below(1e6) / 1e6
let left = Number(steps)

function step(): void {
  left -= 1
  // Nothing of this process runs after it: no finally, no rollback.
  if (left === 0) process.kill(process.pid, 'SIGKILL')
}

/** Counts a step before and after whatever a unit of work does. */
function counted<T extends object>(part: T): T {
  return new Proxy(part, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value === 'object' && value !== null) return counted(value)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]): Promise<unknown> => {
        step()
        const result: unknown = await Reflect.apply(value, target, args)
        step()
        return result
      }
    },
  })
}

await using store = await StoreRoom.open({
  url: url === '' ? null : new Secret(url),
  folder,
  superviseSeconds: null,
  onTrouble: (failure) => {
    throw failure
  },
})
const unitOfWork: UnitOfWork = {
  run: async (work) => {
    const result = await store.unitOfWork.run((unit: Unit) => work(counted(unit)))
    step()
    return result
  },
}
const clock = new Clock(Date.UTC(2026, 0, 1) + Number(seed) * 86_400_000)
const ports = portsOf({ unitOfWork }, clock)
const owner = await addOwner(store, 'alice', clock.now())
const worker = await addWorker(store, `worker of ${seed}`, clock.now())
const leases: LeasedAttempt[] = []

async function accept(number: number): Promise<void> {
  const git = { kind: 'git', url: `https://git.example/${seed}/${number}`, commit: 'd'.repeat(40), path: '.' } as const
  const lock = random() < 0.3 ? digestOf('lock') : null
  const submission = submissionOf(owner.id, { source: git, lock, attempts: 1 + Math.floor(random() * 3) })
  const idempotency = random() < 0.5 ? { key: `${seed}/${number}`, requestDigest: digestOf('request'), hours: 24 } : null
  await bringUploads({ ...ports, unitOfWork: store.unitOfWork }, submission)
  const { verificationId } = await acceptVerification(ports, commandOf(submission, idempotency))
  writeSync(1, `accepted ${verificationId}\n`)
}

async function report(): Promise<void> {
  const leased = leases.splice(Math.floor(random() * leases.length), 1)[0]
  if (leased === undefined) return
  const outcome = random() < 0.7 ? 'built' : random() < 0.5 ? 'infrastructure' : 'refused'
  const said = { attemptId: leased.attempt.id, lease: leased.lease, worker: worker.id }
  if (random() < 0.5) await keepLease(ports, said).catch(() => {})
  await reportAttempt(ports, { ...said, report: reportOf(leased.attempt.number, outcome), digest: digestOf(leased.lease) }).catch(() => {})
}

async function end(): Promise<void> {
  const { items } = await store.reads.verifications.open({ cursor: null, limit: 50 })
  const one = items[Math.floor(random() * items.length)]
  if (one !== undefined && random() < 0.2) return await cancelVerification(ports, one.id)
  await decideNext(ports, decisionOf())
}

for (let number = 0; ; number += 1) {
  clock.pass(1000)
  const chance = random()
  if (chance < 0.18) await accept(number)
  else if (chance < 0.33) await prepareNext(ports, { refuse: random() < 0.1 })
  else if (chance < 0.55) {
    const leased = await leaseAny(ports, worker)
    if (leased !== undefined) leases.push(leased)
  } else if (chance < 0.8) await report()
  else if (chance < 0.93) await end()
  else if (chance < 0.97) await hurry(store)
  else {
    await loseWorkers(store)
    await giveUpAttempts(ports)
  }
}
