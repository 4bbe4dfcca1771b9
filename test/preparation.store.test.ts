import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acceptVerification } from '../src/app/service/accept-verification.ts'
import { cancelVerification, decide } from '../src/app/service/end-verification.ts'
import { leaseAttempt } from '../src/app/service/lease-attempt.ts'
import { PREPARATION_TRIES, type PreparationPorts, preparationWork } from '../src/app/service/preparation.ts'
import { reportAttempt } from '../src/app/service/report-attempt.ts'
import type { Owner, Submission, Verification, Worker } from '../src/app/store/records.ts'
import { openBlobFolder } from '../src/storage/blob-folder.ts'
import { makeScratch } from '../src/storage/scratch.ts'
import { StoreRoom } from '../src/store-room.ts'
import { writeInputsArchive } from '../verifier/builder/inputs/inputs-archive.ts'
import { oneChunk } from '../verifier/bytes/one-chunk.ts'
import { attemptWithoutRun } from '../verifier/model/attempt.ts'
import type { BlobStore } from '../verifier/model/blob-store.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { encodeLock, INPUT_LOCK_SCHEMA, type InputLock } from '../verifier/model/lock.ts'
import { VerificationReport } from '../verifier/model/report.ts'
import { sourceFailure } from '../verifier/source/failures.ts'
import { pinSource } from '../verifier/source/pin-source.ts'
import { serveGit } from '../verifier/source/testing/git-server.ts'
import { BareRepository } from '../verifier/source/testing/objects.ts'
import { git } from '../verifier/source/testing/programs.ts'
import { member, tar } from '../verifier/source/testing/tar.ts'
import { hurry, takeAll } from './queued.ts'
import {
  addOwner,
  addWorker,
  bringUploads,
  Clock,
  collectAll,
  commandOf,
  decisionOf,
  digestOf,
  mustLease,
  newId,
  submissionOf,
} from './stored.ts'
import { databases, type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'
import { workOff } from './worked-off.ts'

const CONF = '[Distribution]\nDistribution=debian\nRelease=trixie\n[Output]\nFormat=tar\n'
const ACCESS = { files: true, localRepositories: true, plainHttp: true, privateHosts: true }

describe.each(databases())('preparing on %s', (kind) => {
  const clock = new Clock()
  let folder: string
  let place: EmptyDatabase
  let store: StoreRoom
  let blobs: BlobStore
  let owner: Owner
  let worker: Worker
  let ports: PreparationPorts

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-preparation-'))
    await mkdir(path.join(folder, 'work'))
    blobs = await openBlobFolder(path.join(folder, 'blobs'))
    place = await emptyDatabase(kind)
    store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    owner = await addOwner(store, 'alice', clock.now())
    worker = await addWorker(store, 'one', clock.now())
    ports = {
      unitOfWork: store.unitOfWork,
      reads: store.reads,
      now: clock.now,
      newId,
      blobs,
      version: '1.2.3',
      reader: { architecture: 'amd64', mkosi: '25.3' },
      isOfToday: async () => true,
      scratch: () => makeScratch(path.join(folder, 'work')),
      pin: (source, scratch, signal) => pinSource(source, { scratch, signal, access: ACCESS, resolve: async () => ['127.0.0.1'] }),
    }
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  const know = async (name: string): Promise<Sha256> => {
    const [digest, description] = [digestOf(name), digestOf(`description of ${name}`)]
    const builder = { digest, description, architecture: 'amd64', mkosi: '25.3', addedAt: clock.now() }
    await store.unitOfWork.run(({ builders }) => builders.add(builder, [{ sha256: description, size: 1 }]))
    return digest
  }
  const put = async (bytes: Uint8Array | string): Promise<Sha256> => (await blobs.put(oneChunk(bytes))).sha256
  const accept = async (change: Partial<Submission>): Promise<string> => {
    const submission = submissionOf(owner.id, change)
    await bringUploads(ports, submission)
    return (await acceptVerification(ports, commandOf(submission))).verificationId
  }
  const archive = async (bytes: Uint8Array, change: Partial<Submission> = {}): Promise<string> =>
    await accept({ source: { kind: 'archive', name: 'app.tar', path: '.' }, upload: await put(bytes), ...change })
  const recipe = (conf = CONF): Buffer => tar({ path: 'mkosi.conf', body: conf })
  const prepare = (changed: Partial<PreparationPorts> = {}) => workOff(store, 'preparation', preparationWork({ ...ports, ...changed }))
  const read = async (id: string): Promise<Verification> => {
    const found = await store.reads.verifications.read(id)
    if (found === undefined) throw new Error('gone')
    return found
  }
  const eventsOf = async (id: string) => (await store.reads.events.after(id, 0, 100)).map((one) => `${one.attempt} ${one.kind}`)
  const rolesOf = async (id: string) => (await store.reads.blobs.of(id)).map(({ role }) => role)
  const routesOf = async (id: string) => (await store.reads.attempts.of(id)).map(({ mode, route }) => `${mode} ${route}`)
  /** Nothing of a source may stay where it was laid out. */
  const leftovers = () => readdir(path.join(folder, 'work'))

  it('pins a commit of a repository, reads its recipe and opens the first attempt, while whoever follows sees that', async () => {
    const repository = new BareRepository(folder, 'app.git')
    const commit = repository.commit(
      repository.tree([
        '40000',
        'image',
        repository.tree(['100644', 'mkosi.conf', repository.object('blob', `${CONF}[Content]\nPackages=curl\n`)]),
      ]),
    )
    const url = `file://${repository.folder}`
    const id = await accept({ source: { kind: 'git', url, commit: 'main', path: 'image' } })
    let seen: string[] = []
    const watching: PreparationPorts['pin'] = async (...given) => {
      seen = await eventsOf(id)
      return await ports.pin(...given)
    }
    expect(await prepare({ pin: watching })).toEqual(['done'])
    expect(seen).toEqual(['0 stage-started'])
    const { pinned, sourceTar, ...verification } = await read(id)
    const reading = await store.reads.verifications.recipe(id)
    expect(pinned).toMatchObject({ kind: 'git', url, commit, ref: 'refs/heads/main', path: 'image' })
    expect(verification).toMatchObject({ state: 'running', verdict: null, claims: null, architecture: 'amd64' })
    expect(reading?.recipe).toMatchObject({ distribution: 'debian', images: [{ packages: ['curl'] }] })
    expect((await eventsOf(id)).slice(0, 4)).toEqual(['0 stage-started', '0 stage-ended', '0 stage-started', '0 stage-ended'])
    expect(await eventsOf(id)).toHaveLength(4 + (reading?.findings.length ?? 0))
    expect(await store.reads.blobs.of(id)).toMatchObject([{ sha256: sourceTar, role: 'source' }])
    const bytes = Buffer.concat(await Array.fromAsync(await blobs.open(sourceTar ?? digestOf(''))))
    expect(bytes.includes('Packages=curl')).toBe(true)
    const leased = await leaseAttempt(ports, { workerId: worker.id, routes: ['amd64-trusted'] })
    expect(leased).toMatchObject({ attempt: { verificationId: id, number: 1, mode: 'live' }, prepared: { sourceTar } })
    expect(await leftovers()).toEqual([])
    await cancelVerification(ports, id)
  })

  it('shows that a commit is only a fork’s, which its host gives out under the parent’s URL', async () => {
    const root = path.join(folder, 'forge')
    await mkdir(root)
    const parent = new BareRepository(root, 'parent.git')
    const fork = new BareRepository(root, 'fork.git')
    const tree = (one: BareRepository): string => one.tree(['100644', 'mkosi.conf', one.object('blob', CONF)])
    const main = parent.commit(tree(parent))
    git(fork.folder, 'fetch', '--quiet', parent.folder, 'main')
    const ofFork = fork.commit(tree(fork), { parents: [main], message: 'of the fork' })
    await writeFile(path.join(parent.folder, 'objects/info/alternates'), `${fork.folder}/objects\n`)
    await using forge = await serveGit({ root })
    const url = `${forge.url}parent.git`
    const ids = [main, ofFork].map((commit) => accept({ source: { kind: 'git', url, commit, path: '.' } }))
    const [ours, theirs] = await Promise.all(ids)
    expect(await prepare()).toEqual(['done', 'done'])
    expect((await read(ours ?? '')).pinned).toMatchObject({ commit: main, ref: 'refs/heads/main' })
    expect(await read(theirs ?? '')).toMatchObject({ state: 'running', pinned: { commit: ofFork, ref: null } })
    for (const id of [ours, theirs]) await cancelVerification(ports, id ?? '')
  })

  it('sends attempts to where their architecture is, and those of strangers to whom they are for', async () => {
    const ids = [
      await archive(recipe(), { trusted: false }),
      await archive(recipe(`${CONF}[Distribution]\nArchitecture=arm64\n`)),
      await archive(recipe(`${CONF}[Distribution]\nArchitecture=x86-64\n`)),
    ]
    await prepare()
    expect(await Promise.all(ids.map(routesOf))).toEqual([['live amd64-stranger'], ['live arm64-trusted'], ['live amd64-trusted']])
    expect((await read(ids[0] ?? '')).pinned).toMatchObject({ kind: 'archive', name: 'app.tar', treeDigest: expect.any(String) })
    for (const id of ids) await cancelVerification(ports, id)
  })

  it.each([
    ['a rule', `${CONF}[Content]\nPostOutputScripts=x\n`, 'postoutput'],
    ['an architecture that nobody has', `${CONF}[Distribution]\nArchitecture=riscv64\n`, 'architecture-unsupported'],
    ['a zero byte', `${CONF}[Content]\nPackages=a\0b\n`, 'config-unreadable'],
  ])('refuses a recipe for %s at once, with a report that is to be signed and no attempt', async (_, conf, rule) => {
    const id = await archive(recipe(conf), { callbackUrl: 'https://hook.example' })
    expect(await prepare()).toEqual(['done'])
    const verification = await read(id)
    expect(verification).toMatchObject({ state: 'finished', verdict: 'refused', tier: null, claims: [{ sha256: digestOf('claimed') }] })
    expect(verification.reasons.map(({ code }) => code)).toContain(rule)
    const text = Buffer.concat(await Array.fromAsync(await blobs.open(verification.report ?? digestOf('')))).toString()
    expect(VerificationReport.parse(JSON.parse(text))).toMatchObject({
      verdict: 'refused',
      attempts: [],
      builder: null,
      source: { kind: 'archive', name: 'app.tar' },
      claims: [{ sha256: digestOf('claimed') }],
    })
    expect(await store.reads.attempts.of(id)).toEqual([])
    expect((await rolesOf(id)).toSorted()).toEqual(['report', 'source', 'upload'])
    expect(await takeAll(store, 'signing')).toEqual([{ verificationId: id, predicateType: 'bitwitness:rebuild-result/v1' }])
    expect(await takeAll(store, 'callback')).toEqual([{ verificationId: id }])
    expect(await leftovers()).toEqual([])
  })

  const x = { path: 'x', body: 'x' }
  const many = (): Buffer => {
    const files = Array.from({ length: 100_001 }, (_, index) => member({ path: `f${index}` }))
    return tar(...files)
  }
  it.each([
    ['goes up', 'tar-path-not-normal', () => tar(x, { path: '../evil' })],
    ['writes through a link', 'tar-path-under-file', () => tar({ path: 'a', type: 'symlink', link: '/tmp' }, { path: 'a/evil' })],
    ['links out of it', 'tar-link-target-missing', () => tar({ path: 'a', type: 'hardlink', link: 'etc/shadow' })],
    ['is a bomb', 'source-ratio-limit', () => gzipSync(tar({ path: 'a', body: '\0'.repeat(90 * 1024 ** 2) }))],
    ['holds too many files', 'tar-entries-limit', () => gzipSync(many())],
    ['is none', 'tar-format-unknown', () => Buffer.from('just text, '.repeat(100))],
  ])('leaves an archive that %s undecided, and nothing of it behind', async (_, code, make) => {
    const id = await archive(make(), { callbackUrl: 'https://hook.example' })
    expect(await prepare()).toEqual(['done'])
    const { reasons, ...verification } = await read(id)
    expect(verification).toMatchObject({ state: 'finished', verdict: 'undecided', tier: null, report: null, pinned: null })
    expect(reasons.map((reason) => reason.code)).toEqual([code])
    expect(await leftovers()).toEqual([])
    expect(await takeAll(store, 'signing')).toEqual([])
    expect(await takeAll(store, 'callback')).toEqual([{ verificationId: id }])
  })

  it.each(['../app.tar', '.', '..', 'a/b', '\u202eapp.tar', 'ä'.repeat(200)])('takes no archive by the name %j', async (name) => {
    const id = await archive(recipe(), { source: { kind: 'archive', name, path: '.' } })
    await prepare()
    expect((await read(id)).reasons.map(({ code }) => code)).toEqual(['source-name-refused'])
    expect(await leftovers()).toEqual([])
  })

  it.each([
    ['http://127.0.0.1:1/a.git', 'main', '.', 'source-host-private'],
    ['http://169.254.169.254/latest/meta-data.git', 'main', '.', 'source-host-private'],
    ['http://[::ffff:127.0.0.1]/a.git', 'main', '.', 'source-url-malformed'],
    ['http://user:secret@git.example/a.git', 'main', '.', 'source-url-userinfo'],
    ['ext::sh -c touch% /tmp/evil', 'main', '.', 'source-protocol'],
    ['file:///etc/passwd', 'main', '.', 'source-protocol'],
    ['http://git.example/a.git', '--upload-pack=evil', '.', 'source-ref-malformed'],
    ['http://git.example/a.git', 'main', '../x', 'source-path-malformed'],
    ['http://rebound.example/a.git', 'main', '.', 'source-host-private'],
  ])('asks nobody for %s %s %s', async (url, commit, folderOf, code) => {
    const access = { ...ACCESS, privateHosts: false, localRepositories: false }
    const resolve = async (): Promise<string[]> => ['93.184.216.34', '127.0.0.1']
    const pin: PreparationPorts['pin'] = (source, scratch, signal) => pinSource(source, { scratch, signal, access, resolve })
    const id = await accept({ source: { kind: 'git', url, commit, path: folderOf } })
    expect(await prepare({ pin })).toEqual(['done'])
    const { reasons, ...verification } = await read(id)
    expect([verification.verdict, reasons.map((reason) => reason.code)]).toEqual(['undecided', [code]])
    expect(JSON.stringify(reasons)).not.toContain('secret')
  })

  it('waits out a host that does not answer, and not for ever', async () => {
    const id = await accept({ source: { kind: 'git', url: 'http://127.0.0.1:1/a.git', commit: 'main', path: '.' } })
    for (let tries = 1; tries < PREPARATION_TRIES; tries += 1) {
      expect(await prepare()).toEqual(['again'])
      expect(await read(id)).toMatchObject({ state: 'accepted', verdict: null })
      await hurry(store)
    }
    expect(await prepare()).toEqual(['done'])
    expect(await read(id)).toMatchObject({ verdict: 'undecided', reasons: [{ code: 'source-unreachable' }] })
    expect((await eventsOf(id)).filter((event) => event === '0 stage-ended')).toHaveLength(PREPARATION_TRIES)
  })

  it('takes trouble of this machine for its own, and tells no more of it', async () => {
    const full = Object.assign(new Error('no space left on /secret/place'), { code: 'ENOSPC' })
    const id = await archive(recipe())
    const told: (Date | null)[] = []
    const events: PreparationPorts['events'] = { jobFailed: ({ nextAt }) => told.push(nextAt) }
    for (let tries = 1; tries <= PREPARATION_TRIES; tries += 1) {
      await prepare({ scratch: () => Promise.reject(full), events })
      await hurry(store)
    }
    expect(told.map((nextAt) => nextAt !== null)).toEqual([true, true, true, true, true, false])
    expect(await read(id)).toMatchObject({ verdict: 'undecided', reasons: [{ code: 'preparation-machine' }] })
    expect(JSON.stringify(await read(id))).not.toContain('secret')
  })

  it('leaves what nobody foresaw to whoever runs it, and the job in the queue', async () => {
    const defect = new TypeError('a defect')
    const id = await archive(recipe())
    await expect(prepare({ scratch: () => Promise.reject(defect) })).rejects.toBe(defect)
    expect(await read(id)).toMatchObject({ state: 'accepted' })
    await cancelVerification(ports, id)
  })

  it('does nothing more for what was cancelled before or meanwhile', async () => {
    const before = await archive(recipe())
    await cancelVerification(ports, before)
    const meanwhile = await archive(recipe('[Output]\nFormat=tar\n'))
    const pin: PreparationPorts['pin'] = async (...given) => {
      await cancelVerification(ports, meanwhile)
      return await ports.pin(...given)
    }
    expect(await prepare({ pin })).toEqual(['done', 'done'])
    for (const id of [before, meanwhile]) {
      expect(await read(id)).toMatchObject({ state: 'cancelled', pinned: null })
      expect(await store.reads.attempts.of(id)).toEqual([])
    }
    // What follows a verification has heard its end by then.
    expect(await eventsOf(meanwhile)).toEqual(['0 stage-started'])
    const unreachable = await archive(recipe())
    const fail: PreparationPorts['pin'] = async () => {
      await cancelVerification(ports, unreachable)
      throw sourceFailure('source-unreachable')
    }
    expect(await prepare({ pin: fail })).toEqual(['again'])
    expect(await eventsOf(unreachable)).toEqual(['0 stage-started'])
    await hurry(store)
    expect(await prepare()).toEqual(['done'])
  })

  /** Of the canonical tar of a recipe with this configuration. */
  const tarOf = async (conf: string): Promise<Sha256> => {
    const file = path.join(folder, `${newId()}.tar`)
    await writeFile(file, recipe(conf))
    await using pinned = await pinSource({ kind: 'archive', file, path: '.' }, { scratch: folder, access: ACCESS })
    return digestOf(Buffer.concat(await Array.fromAsync(pinned.tar())).toString('latin1'))
  }
  const body = Buffer.from('a package')
  const input = { kind: 'index', archive: 'debian', path: 'dists/a', sha256: digestOf('a package'), size: body.length } as const
  const lock: InputLock = { schema: INPUT_LOCK_SCHEMA, architecture: 'amd64', snapshot: null, inputs: [input], absent: [] }

  it('unpacks a publisher’s inputs, whose lock every attempt replays', async () => {
    await put(body)
    const file = path.join(folder, 'inputs.tar')
    await writeInputsArchive({ lock, blobs, path: file })
    const inputs = (await blobs.put(createReadStream(file))).sha256
    const id = await archive(recipe(), { inputs })
    expect(await prepare()).toEqual(['done'])
    expect(await routesOf(id)).toEqual(['replay amd64-trusted', 'replay amd64-trusted'])
    const leased = await mustLease(ports, worker)
    expect(leased.prepared?.lock).toBe(digestOf(encodeLock(lock)))
    expect((await rolesOf(id)).toSorted()).toEqual(['inputs', 'lock', 'source', 'upload'])
    expect(await store.reads.blobs.known([input.sha256])).toEqual(new Set([input.sha256]))
    await cancelVerification(ports, id)
  })

  it.each([
    ['lock that is none', 'input-lock-malformed', async () => ({ lock: await put('{}') })],
    [
      'archive of another lock',
      'inputs-of-another-lock',
      async () => {
        await put(body)
        const file = path.join(folder, `${newId()}.tar`)
        await writeInputsArchive({ lock, blobs, path: file })
        const inputs = (await blobs.put(createReadStream(file))).sha256
        return { inputs, lock: await put(encodeLock({ ...lock, inputs: [] })) }
      },
    ],
    ['archive that holds something else', 'inputs-archive-malformed', async () => ({ inputs: await put(tar({ path: 'evil' })) })],
  ])('builds nothing by the %s', async (_, code, given) => {
    const id = await archive(recipe(), await given())
    expect(await prepare()).toEqual(['done'])
    expect(await read(id)).toMatchObject({ verdict: 'undecided', reasons: [{ code }] })
    expect(await store.reads.attempts.of(id)).toEqual([])
  })

  it('keeps track of what it put for nothing, so that it goes', async () => {
    await put(body)
    const file = path.join(folder, `${newId()}.tar`)
    await writeInputsArchive({ lock, blobs, path: file })
    // One byte too many: by then all else was taken.
    const inputs = (await blobs.put(oneChunk(Buffer.concat([await readFile(file), Buffer.from('x')])))).sha256
    const conf = `${CONF}[Content]\nPackages=for-nothing\n`
    const id = await archive(recipe(conf), { inputs })
    const before = await store.reads.blobs.known([input.sha256])
    await prepare()
    expect(await read(id)).toMatchObject({ verdict: 'undecided', reasons: [{ code: expect.stringMatching(/^tar-/) }], sourceTar: null })
    const sourceTar = await tarOf(conf)
    expect([...(await store.reads.blobs.known([input.sha256, sourceTar]))].toSorted()).toEqual([input.sha256, sourceTar].toSorted())
    expect((await rolesOf(id)).toSorted()).toEqual(['inputs', 'upload'])
    clock.pass(24 * 3600_000)
    const gone = await store.unitOfWork.run((unit) => collectAll(unit.blobs, clock.now()))
    expect(gone).toContain(sourceTar)
    expect(gone.includes(input.sha256)).toBe(!before.has(input.sha256))
  })

  it('answers by an earlier rebuild where its owner allows, and says so', async () => {
    const conf = `${CONF}[Content]\nPackages=reused\n`
    const log = await put('a log')
    const build = async (id: string): Promise<void> => {
      await prepare()
      for (let number = 1; number <= 2; number += 1) {
        const { attempt, lease } = await mustLease(ports, worker)
        const report = { ...attemptWithoutRun({ number, mode: attempt.mode, outcome: 'built', reason: null }), log }
        await store.unitOfWork.run((unit) => unit.blobs.refer({ sha256: log, size: 5, verificationId: id, role: 'log', at: clock.now() }))
        await reportAttempt(ports, { attemptId: attempt.id, lease, worker: worker.id, report, digest: digestOf(lease) })
      }
      await takeAll(store, 'decision')
      await decide(ports, id, decisionOf({ statements: [] }))
    }
    const builder = await know('builder')
    const first = await archive(recipe(conf))
    await build(first)
    clock.pass(60_000)
    const stranger = await addOwner(store, 'mallory', clock.now())
    const claims = [{ kind: 'file', name: null, sha256: digestOf('another'), location: null }] as const
    // What this program would not make today answers nobody who does not name it.
    const before = await archive(recipe(conf), { maxAgeSeconds: 60 })
    expect(await prepare({ isOfToday: async () => false })).toEqual(['done'])
    expect(await read(before)).toMatchObject({ reusedFrom: null })
    await cancelVerification(ports, before)
    const named = await archive(recipe(conf), { maxAgeSeconds: 60, builder, attempts: 1 })
    const elsewhere = { allowedBuilders: [await know('another builder'), builder] }
    const changed = await archive(recipe(conf), { maxAgeSeconds: 60 })
    expect(await prepare(elsewhere)).toEqual(['done', 'done'])
    expect(await read(named)).toMatchObject({ reusedFrom: first })
    expect(await read(changed)).toMatchObject({ reusedFrom: null })
    await takeAll(store, 'decision')
    for (const id of [named, changed]) await cancelVerification(ports, id)
    const allowed = await archive(recipe(conf), { ownerId: stranger.id, maxAgeSeconds: 60, claims })
    const late = await archive(recipe(conf), { maxAgeSeconds: 59 })
    const notAllowed = await archive(recipe(conf), { attempts: 1 })
    expect(await prepare()).toEqual(['done', 'done', 'done'])
    expect(await read(allowed)).toMatchObject({ state: 'running', reusedFrom: first, claims: [{ sha256: digestOf('another') }] })
    const [earlier, copies] = await Promise.all([first, allowed].map((id) => store.reads.attempts.of(id)))
    expect(copies?.map(({ report, mode, committedAt }) => ({ report, mode, committedAt }))).toEqual(
      earlier?.map(({ report, mode, committedAt }) => ({ report, mode, committedAt })),
    )
    expect(copies?.map(({ life }) => life)).toMatchObject([
      { state: 'committed', outcome: 'built', tries: 0 },
      { state: 'committed', outcome: 'built', tries: 0 },
    ])
    expect((await rolesOf(allowed)).toSorted()).toEqual(['log', 'source', 'upload'])
    expect(await takeAll(store, 'decision')).toEqual([{ verificationId: allowed }])
    for (const id of [late, notAllowed]) expect(await read(id)).toMatchObject({ reusedFrom: null, claims: null })
    for (const id of [allowed, late, notAllowed]) await cancelVerification(ports, id)
  })
})
