import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { BuilderImage } from '../../verifier/builder/image-description.ts'
import { BuildManifest } from '../../verifier/model/build-manifest.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { VerificationReport } from '../../verifier/model/report.ts'
import type { DoctorReport } from '../app/doctor.ts'
import { exitOfBuild } from './commands/build.ts'
import { golden, ran } from './testing/terminal.ts'

const page = (name: string): string => path.join(import.meta.dirname, 'testdata', `${name}.txt`)
const digest = (digit: string): Sha256 => Sha256.parse(digit.repeat(64))
const report = VerificationReport.parse(JSON.parse(golden('verification-reproduced.json')))

const manifest: BuildManifest = BuildManifest.parse({
  schema: 'bitwitness/build-manifest/v1',
  verdict: 'built',
  reasons: [],
  source: report.source,
  parameters: {
    architecture: 'amd64',
    sourceDateEpoch: 1701475200,
    snapshot: null,
    builder: report.builder,
    sandbox: report.sandbox,
    image: report.recipe.imageConfig,
  },
  artifacts: [
    {
      name: 'image.tar',
      format: 'tar',
      sha256: digest('a'),
      size: 413532160,
      treeManifest: null,
      oci: { manifest: digest('b'), config: digest('c'), layer: digest('a') },
      file: 'image.tar',
      layout: 'image.tar.oci',
      claims: [`sha256:${digest('a')}`, `oci-manifest=sha256:${digest('b')}`],
    },
  ],
  lock: { file: 'inputs.lock.json', sha256: digest('d'), inputs: 'inputs.tar' },
  createdAt: '2026-11-24T10:00:00.000Z',
  tool: { name: 'bitwitness', version: '0.1.0' },
})

describe('build', () => {
  it('says where everything lies and what to claim', async () => {
    const { exit, stdout } = await ran(['build', '-o', 'out', './app'], { build: () => Promise.resolve(manifest) })
    await expect(stdout).toMatchFileSnapshot(page('build-built'))
    expect(exit).toBe(0)
  })

  it('takes a report into the folder that it makes', async () => {
    const output = path.join(await mkdtemp(path.join(tmpdir(), 'bitwitness-build-')), 'out')
    const build = () => mkdir(output).then(() => manifest)
    const { exit } = await ran(['build', '-o', output, '--report', `${output}/r.json`, './app'], { build })
    expect([exit, JSON.parse(await readFile(path.join(output, 'r.json'), 'utf8'))]).toEqual([0, manifest])
    await rm(path.dirname(output), { recursive: true })
  })

  it('says of one build that it was one, and of a folder where it was, as a shell takes it', async () => {
    const folder = { kind: 'archive' as const, name: 'app', sha256: null, path: '.', treeDigest: digest('e') }
    const { stdout } = await ran(['build', '-o', 'out', '--attempts', '1', './an app'], {
      build: () => Promise.resolve({ ...manifest, source: folder, lock: null }),
    })
    expect(stdout.split('\n')[1]).toBe('  once: whether it gives the same bytes again is not shown')
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(
      `  bitwitness verify './an app' --claim sha256:${digest('a')} --claim oci-manifest=sha256:${digest('b')}`,
    )
  })

  it('prints the manifest with --json, and the reason where nothing was built', async () => {
    const failed = {
      ...manifest,
      verdict: 'build-failed' as const,
      reasons: [{ code: 'mkosi-failed', message: 'mkosi ended with exit code 1' }],
      artifacts: [],
      lock: null,
    }
    const people = await ran(['build', '--output', 'out', './app'], { build: () => Promise.resolve(failed) })
    expect(people).toMatchObject({ exit: 1, stdout: 'build-failed\n  mkosi-failed: mkosi ended with exit code 1\n' })
    const machine = await ran(['build', '--output', 'out', './app', '--json'], { build: () => Promise.resolve(failed) })
    expect(JSON.parse(machine.stdout)).toEqual(failed)
  })

  it('shows how the log ends where nothing was built, and not where something was', async () => {
    const told = (verdict: BuildManifest['verdict']) =>
      ran(['build', '-o', 'out', './app'], {
        build: ({ emit }) => {
          emit({ kind: 'log', line: 'E: no such package', attempt: 2, seq: 1, at: '' })
          return Promise.resolve({ ...manifest, verdict, reasons: [], artifacts: [], lock: null })
        },
      })
    expect((await told('limit')).stdout).toBe(
      'limit\n\nend of the log of attempt 2\n  E: no such package\n  all of it: run it again with --verbose\n',
    )
    expect((await told('nondeterministic')).stdout).toBe('nondeterministic\n')
    expect((await told('built')).stdout).not.toContain('log of attempt')
  })

  it('ends with 0 only where something was built', () => {
    const options = [
      'built',
      'build-failed',
      'refused',
      'limit',
      'nondeterministic',
      'input-unavailable',
      'input-differs',
      'infrastructure',
      'cancelled',
    ] as const
    expect(options.map(exitOfBuild)).toEqual([0, 1, 1, 1, 1, 3, 3, 3, 130])
  })
})

describe('doctor', () => {
  const ready: DoctorReport = {
    schema: 'bitwitness/doctor-report/v1',
    verdict: 'ready',
    checks: [
      { id: 'engine', state: 'pass', message: 'Docker 20.10 on amd64', remedy: null },
      { id: 'apparmor', state: 'warn', message: 'the engine enforces no AppArmor', remedy: 'load the profile' },
      { id: 'clock', state: 'skip', message: 'no mirror told the time', remedy: null },
    ],
  }
  const failing: DoctorReport = {
    ...ready,
    verdict: 'not-ready',
    checks: [{ id: 'memory', state: 'fail', message: 'too little', remedy: 'more' }],
  }

  it('shows each check with its remedy', async () => {
    const { exit, stdout } = await ran(['doctor'], { doctor: () => Promise.resolve(ready) })
    await expect(stdout).toMatchFileSnapshot(page('doctor-ready'))
    expect(exit).toBe(0)
  })

  it('ends with 1 where something is missing', async () => {
    const { exit, stdout } = await ran(['doctor', '--json'], { doctor: () => Promise.resolve(failing) })
    expect([exit, JSON.parse(stdout)]).toEqual([1, failing])
  })
})

describe('builder', () => {
  const builder: BuilderImage = BuilderImage.parse({
    schema: 'bitwitness/builder-image/v1',
    digest: digest('1'),
    manifest: digest('2'),
    layer: { sha256: digest('3'), size: 734003200 },
    architecture: 'amd64',
    mkosi: '25.3',
    definition: digest('4'),
    suite: 'trixie',
    lock: digest('5'),
    packages: [{ name: 'mkosi', version: '25.3-2', architecture: 'all' }],
  })

  it('shows one, with its packages', async () => {
    const seen: (string | null)[] = []
    const show = (reference: string | null): Promise<BuilderImage> => {
      seen.push(reference)
      return Promise.resolve(builder)
    }
    const { exit, stdout } = await ran(['builder', 'show'], { showBuilder: show })
    await expect(stdout).toMatchFileSnapshot(page('builder-show'))
    await ran(['builder', 'show', 'sha256:1111'], { showBuilder: show })
    expect([exit, seen]).toEqual([0, [null, 'sha256:1111']])
  })

  it('lists none, and all', async () => {
    expect((await ran(['builder', 'list'], { listBuilders: () => Promise.resolve([]) })).stdout).toBe('none yet\n')
    const { stdout } = await ran(['builder', 'list', '--json'], { listBuilders: () => Promise.resolve([builder]) })
    expect(JSON.parse(stdout)).toEqual({ schema: 'bitwitness/builder-list/v1', builders: [builder] })
  })

  it('is made with what the command line says, its progress on stderr', async () => {
    let seen: unknown
    const { exit, stdout, stderr } = await ran(['builder', 'build', '--json', '--lock', 'l', '--inputs', 'i', '--mkosi', '25.3'], {
      makeBuilder: (o) => {
        seen = { lock: o.lock, inputs: o.inputs, mkosi: o.mkosi }
        o.emit({ kind: 'stage-started', stage: 'builder' })
        return Promise.resolve(builder)
      },
    })
    expect(seen).toEqual({ lock: 'l', inputs: 'i', mkosi: '25.3' })
    expect([exit, JSON.parse(stdout), stderr]).toEqual([0, builder, 'builder …\n'])
  })

  it('is exported and imported', async () => {
    const seen: unknown[] = []
    const useCases = {
      exportBuilder: (o: unknown) => Promise.resolve(seen.push(o)).then(() => builder),
      importBuilder: (...o: unknown[]) => Promise.resolve(seen.push(o)).then(() => builder),
    }
    expect((await ran(['builder', 'export', '111111111111', '-o', 'b.tar', '--inputs'], useCases)).exit).toBe(0)
    expect((await ran(['builder', 'import', 'b.tar'], useCases)).exit).toBe(0)
    // Both may take minutes, and end when they are interrupted.
    const signal = expect.any(AbortSignal)
    expect(seen).toEqual([{ reference: '111111111111', path: 'b.tar', inputs: true, signal }, ['b.tar', signal]])
  })
})
