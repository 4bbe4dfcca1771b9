import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acceptVerification, type ServicePorts } from '../src/app/service/accept-verification.ts'
import type { Owner, Submission } from '../src/app/store/records.ts'
import { StoreRoom } from '../src/store-room.ts'
import { addOwner, bringUploads, Clock, commandOf, digestOf, portsOf, submissionOf } from './stored.ts'
import { databases, type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'

describe.each(databases())('what a submission names, on %s', (kind) => {
  const clock = new Clock()
  let place: EmptyDatabase
  let store: StoreRoom
  let ports: ServicePorts
  let owner: Owner

  beforeAll(async () => {
    place = await emptyDatabase(kind)
    store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    ports = portsOf(store, clock)
    owner = await addOwner(store, 'alice', clock.now())
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  const archive = (name: string): Submission =>
    submissionOf(owner.id, { source: { kind: 'archive', name, path: '.' }, upload: digestOf(name), lock: digestOf(`lock of ${name}`) })
  const codeOf = async (work: Promise<unknown>): Promise<unknown> =>
    await work.then(
      () => 'accepted',
      (error: { code?: unknown }) => error.code,
    )
  const jobs = async (): Promise<number> => {
    let count = 0
    while ((await store.unitOfWork.run((unit) => unit.jobs.take('preparation'))) !== undefined) count += 1
    return count
  }

  it('is swept before the submission is there or needed afterwards, never in between', async () => {
    for (let round = 0; round < 40; round += 1) {
      const submission = archive(`raced ${round}`)
      await bringUploads(ports, submission)
      const before = clock.pass(1)
      const named = [submission.upload, submission.lock].filter((sha256) => sha256 !== null)
      const sweep = () => store.unitOfWork.run(({ uploads }) => uploads.sweep(before, 100))
      const accept = () => codeOf(acceptVerification(ports, commandOf(submission)))
      const [code, swept] =
        round % 2 === 0
          ? await Promise.all([accept(), sweep()])
          : await Promise.all([sweep(), accept()]).then(([gone, said]) => [said, gone] as const)
      const gone = named.filter((sha256) => swept.includes(sha256))
      if (code === 'accepted') expect(gone).toEqual([])
      else expect([code, gone.length > 0]).toEqual(['upload-unknown', true])
      if (code === 'accepted') expect(await store.reads.blobs.known(named)).toEqual(new Set(named))
      await sweep()
    }
    await jobs()
  })

  it('is all there, or nothing of the submission is', async () => {
    const submission = archive('half of it')
    await bringUploads(ports, { ...submission, lock: null })
    expect(await codeOf(acceptVerification(ports, commandOf(submission)))).toBe('upload-unknown')
    expect(await codeOf(acceptVerification(ports, commandOf({ ...submission, lock: null, builder: digestOf('none') })))).toBe(
      'builder-unknown',
    )
    const other = await addOwner(store, 'bob', clock.now())
    expect(await codeOf(acceptVerification(ports, commandOf({ ...submission, lock: null, ownerId: other.id })))).toBe('upload-unknown')
    expect([await jobs(), await store.reads.verifications.openOf(other.id)]).toEqual([0, 0])
    expect(await codeOf(acceptVerification(ports, commandOf({ ...submission, lock: null })))).toBe('accepted')
    expect(await jobs()).toBe(1)
  })

  it('is one of as many as may be open, unless it joins one', async () => {
    const carol = await addOwner(store, 'carol', clock.now())
    const git = (number: number): Submission =>
      submissionOf(carol.id, { source: { kind: 'git', url: 'https://git.example/app', commit: `${number}`.repeat(40), path: '.' } })
    const accept = (number: number) => codeOf(acceptVerification(ports, { ...commandOf(git(number)), mostOpen: 2 }))
    expect([await accept(1), await accept(2), await accept(3), await accept(1)]).toEqual([
      'accepted',
      'accepted',
      'verifications-open-limit',
      'accepted',
    ])
    expect(await store.reads.verifications.openOf(carol.id)).toBe(2)
  })

  it('is one of as many as may be open, however many come at the same moment', async () => {
    const owners = await Promise.all(['dave', 'erin'].map((name) => addOwner(store, name, clock.now())))
    const git = (ownerId: string, number: number): Submission => {
      const commit = number.toString(16).padStart(40, '0')
      return submissionOf(ownerId, { source: { kind: 'git', url: 'https://git.example/app', commit, path: '.' } })
    }
    const accept = (ownerId: string, number: number) =>
      codeOf(acceptVerification(ports, { ...commandOf(git(ownerId, number)), mostOpen: 3 }))
    const numbers = Array.from({ length: 20 }, (_, number) => number)
    const codes = await Promise.all(numbers.flatMap((number) => owners.map(({ id }) => accept(id, number))))
    expect(codes.filter((code) => code === 'accepted').length).toBe(6)
    expect(new Set(codes)).toEqual(new Set(['accepted', 'verifications-open-limit']))
    expect(await Promise.all(owners.map(({ id }) => store.reads.verifications.openOf(id)))).toEqual([3, 3])
  })
})
