import { createHash } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DockerEngine } from '../verifier/builder/docker/engine.ts'
import { StageName } from '../verifier/model/attempt.ts'
import { CheckReport, VerificationReport } from '../verifier/model/report.ts'
import { type CliEnd, type CliOptions, CliProcess, makeHomeLikeShared, runCli } from './cli-process.ts'
import { type SecondEngine, startSecondEngine } from './second-engine.ts'
import { testRoom } from './shared-home.ts'

/** Half of what the recipe yields comes with its source, half from its script: every stage has something to move. */
const HALF_BYTES = 24 << 20

let folder: string
let home: string
let recipe: string
let engine: SecondEngine
let client: DockerEngine
let image: string
let claim: string

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-crash-'))
  home = path.join(folder, 'home')
  recipe = path.join(folder, 'recipe')
  engine = await startSecondEngine()
  image = (await testRoom({ dockerHost: engine.host })).builder.image
  await makeHomeLikeShared(home)
  await writeRecipe(recipe)
  const { stdout } = await runCli(['check', recipe, '--attempts', '1', '--json'], options())
  claim = `sha256:${CheckReport.parse(JSON.parse(stdout)).attempts[0]?.artifacts[0]?.sha256}`
  client = await clientOf(home)
})

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

function options(more: Partial<CliOptions> = {}): CliOptions {
  // A workspace on a volume leaves one thing more behind than one in memory.
  return { home, engine: engine.host, ...more, environment: { BITWITNESS_WORKSPACE: 'volume', ...more.environment } }
}

/** Where each stage is met: at its beginning, the build half way with processes at work. */
const MEETING: Readonly<Record<StageName, string>> = {
  pin: 'pin …',
  recipe: 'recipe …',
  builder: 'builder …',
  start: 'attempt 1: start …',
  source: 'attempt 1: source …',
  build: 'attempt 1: half way',
  collect: 'attempt 1: collect …',
  compare: 'attempt 1: compare …',
}

/** A verification that has stopped in the given stage. */
async function stoppedIn(stage: StageName, more: Partial<CliOptions> = {}): Promise<CliProcess> {
  // The engine is given the builder again: otherwise the stage has nothing to do.
  if (stage === 'builder') await client.gone(() => client.client.getImage(image).remove({ force: true }))
  const cli = new CliProcess(['verify', recipe, '--claim', claim, '--json', '--verbose'], options({ stopAt: [MEETING[stage]], ...more }))
  await cli.stoppedAt(MEETING[stage])
  return cli
}

async function left() {
  return { ...(await client.leftovers(() => false)), folders: await readdir(path.join(home, 'work')) }
}
const NOTHING = { containers: [], volumes: [], folders: [] }

/** Any command that asks the engine: a recipe that is refused builds nothing. */
async function nextStart(): Promise<void> {
  expect(await runCli(['check', path.join(folder, 'refused')], options())).toMatchObject({ code: 1 })
}

/** The next run comes to the right verdict. */
async function verifyAgain(): Promise<void> {
  const { code, stdout } = await runCli(['verify', recipe, '--claim', claim, '--attempts', '1', '--json'], options())
  const { verdict, reasons, attempts } = VerificationReport.parse(JSON.parse(stdout))
  expect({ code, verdict, reasons, built: attempts[0]?.artifacts[0]?.sha256 }).toEqual({
    code: 0,
    verdict: 'reproduced',
    reasons: [],
    built: claim.slice('sha256:'.length),
  })
}

/** What was interrupted or lost its engine says so, and nothing of the image. */
function expectNoVerdict({ code, stdout, stderr }: CliEnd, expected: number): void {
  expect({ code, stderr }).toMatchObject({ code: expected })
  const document = JSON.parse(stdout) as { verdict: string | null; code?: string; reasons?: { code: string }[] }
  expect([null, 'undecided']).toContain(document.verdict)
  // Something that we knew could happen, not a defect.
  expect([document.code, ...(document.reasons ?? []).map(({ code: reason }) => reason)]).not.toContain('internal')
}

describe.each(StageName.options)('in the stage %s', (stage) => {
  it('an interrupt cleans up by itself', async () => {
    const cli = await stoppedIn(stage)
    cli.child.kill('SIGINT')
    cli.resume()
    expectNoVerdict(await cli.ended(), 130)
    expect(await left()).toEqual(NOTHING)
    // What the engine is being given is broken off, not waited for.
    if (stage === 'builder') await expect(client.client.getImage(image).inspect()).rejects.toMatchObject({ statusCode: 404 })
  })

  it('a kill leaves nothing after the next start', async () => {
    const cli = await stoppedIn(stage)
    cli.child.kill('SIGKILL')
    expect(await cli.ended()).toMatchObject({ code: null, signal: 'SIGKILL', stdout: '' })
    await nextStart()
    expect(await left()).toEqual(NOTHING)
  })

  it('the end of the engine is told as what it is, and no verdict', async () => {
    const cli = await stoppedIn(stage)
    await engine.kill()
    cli.resume()
    try {
      expectNoVerdict(await cli.ended(), 3)
    } finally {
      await engine.start()
    }
    await verifyAgain()
    expect(await left()).toEqual(NOTHING)
  })
})

describe('being stopped', () => {
  it('twice ends it at once, and the next start cleans up', async () => {
    const cli = await stoppedIn('build', { stopAt: [MEETING.build, 'stopping;'] })
    cli.child.kill('SIGINT')
    cli.resume()
    await cli.stoppedAt('stopping;')
    cli.child.kill('SIGINT')
    cli.resume()
    expect(await cli.ended()).toMatchObject({ code: null, signal: 'SIGINT', stdout: '' })
    await nextStart()
    expect(await left()).toEqual(NOTHING)
  })

  it('by SIGTERM is being interrupted', async () => {
    const cli = await stoppedIn('build')
    cli.child.kill('SIGTERM')
    cli.resume()
    expectNoVerdict(await cli.ended(), 130)
    expect(await left()).toEqual(NOTHING)
  })
})

describe('nobody who reads', () => {
  it.each(['stdout', 'stderr'] as const)('%s does not change how it ends', async (stream) => {
    const cli = new CliProcess(['verify', recipe, '--claim', claim, '--attempts', '1', '--json'], options())
    cli.child[stream]?.destroy()
    expect(await cli.ended()).toMatchObject({ code: 0, signal: null })
    expect(await left()).toEqual(NOTHING)
  })

  it('an answer that cannot be written is no answer', async () => {
    const full = openSync('/dev/full', 'w')
    try {
      const { code, stderr } = await runCli(['check', path.join(folder, 'refused'), '--json'], options({ stdout: full }))
      expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining('output-unwritten') })
    } finally {
      closeSync(full)
    }
  })
})

describe('a disk that is full', () => {
  it.each([
    ['pin', 'work', HALF_BYTES / 2],
    ['collect', 'work', 2 * HALF_BYTES],
    ['compare', 'work', 4 * HALF_BYTES],
    ['compare', 'blobs', 4 << 10],
  ])('in the stage %s is told, and no verdict: %s of %d bytes', async (stage, part, bytes) => {
    const small = path.join(folder, 'small')
    await makeHomeLikeShared(small)
    const point = path.join(small, part)
    await mkdir(point, { recursive: true })
    await execa('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'tmpfs', point])
    try {
      const end = await runCli(['verify', recipe, '--claim', claim, '--json'], options({ home: small }))
      expectNoVerdict(end, 3)
      expect([...end.stderr.matchAll(/(\w+) …$/gm)].at(-1)?.[1]).toBe(stage)
      expect(end.stdout).toMatch(/"(disk-full|blob-folder-unusable|canonical-io)"/)
      const { containers, volumes } = await clientOf(small).then((one) => one.leftovers(() => false))
      expect({ containers, volumes, folders: await readdir(path.join(small, 'work')) }).toEqual(NOTHING)
    } finally {
      await execa('umount', [point])
      await rm(small, { recursive: true, force: true })
    }
  })
})

describe('side by side', () => {
  it('a command takes nothing from another that runs', async () => {
    const first = await stoppedIn('build')
    await verifyAgain()
    first.resume()
    const { code, stdout } = await first.ended()
    const { verdict, attempts } = VerificationReport.parse(JSON.parse(stdout))
    expect({ code, verdict, retried: attempts.map(({ retried }) => retried) }).toEqual({
      code: 0,
      verdict: 'reproduced',
      retried: [[], []],
    })
    expect(await left()).toEqual(NOTHING)
  })
})

it.each(['build', 'collect'] as const)(
  'an engine that comes back in time, in the stage %s, costs a retry and no verdict',
  async (stage) => {
    const cli = await stoppedIn(stage)
    await engine.kill()
    await engine.start()
    cli.resume()
    const { code, stdout } = await cli.ended()
    const { verdict, attempts } = VerificationReport.parse(JSON.parse(stdout))
    expect({ code, verdict, retried: attempts[0]?.retried.length }).toEqual({ code: 0, verdict: 'reproduced', retried: 1 })
    await nextStart()
    expect(await left()).toEqual(NOTHING)
  },
)

async function clientOf(homeOf: string): Promise<DockerEngine> {
  return new DockerEngine({ host: engine.host, home: (await readFile(path.join(homeOf, 'id'), 'utf8')).trim(), owner: '' })
}

async function writeRecipe(target: string): Promise<void> {
  const files: Readonly<Record<string, string | Buffer>> = {
    'mkosi.conf': [
      '[Distribution]',
      'Distribution=custom',
      '[Output]',
      'Format=tar',
      'Output=image',
      'CompressOutput=none',
      '[Content]',
      'SourceDateEpoch=1701475200',
      'Bootable=no',
      '',
    ].join('\n'),
    'mkosi.skeleton/usr/lib/os-release': 'ID=crash\nNAME=Crash\nVERSION_ID=1\n',
    'mkosi.extra/noise': createHash('shake256', { outputLength: HALF_BYTES }).update('crash').digest(),
    'mkosi.postinst': `#!/bin/sh -e\necho 'half way'\nsleep 0.3\ntr a-y b-z < "$SRCDIR/mkosi.extra/noise" > "$BUILDROOT/noise-2"\n`,
  }
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(target, name)), { recursive: true })
    await writeFile(path.join(target, name), content, { mode: name.startsWith('mkosi.p') ? 0o755 : 0o644 })
  }
  const refused = path.join(folder, 'refused')
  await mkdir(refused)
  await writeFile(path.join(refused, 'mkosi.conf'), '[Distribution]\nDistribution=debian\nLocalMirror=file:///mirror\n')
}
