import { readdirSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { AttemptEvent, EventBody } from '../../verifier/model/event.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { CheckReport, VerificationReport } from '../../verifier/model/report.ts'
import type { VerifyCommand } from '../app/verify.ts'
import { golden, ran } from './testing/terminal.ts'

const claim = `sha256:${'ab'.repeat(32)}`
const documents = readdirSync(path.join(import.meta.dirname, '../../verifier/model/testdata'))
const verifications = documents.filter((name) => name.startsWith('verification-'))
const checks = documents.filter((name) => name.startsWith('check-'))
const page = (name: string): string => path.join(import.meta.dirname, 'testdata', name.replace('.json', '.txt'))

const EXITS: Record<string, number> = {
  'verification-reproduced.json': 0,
  'verification-mismatch.json': 1,
  'verification-build-failed.json': 1,
  'verification-refused.json': 1,
  'verification-cancelled.json': 130,
  'check-repeatable.json': 0,
  'check-nondeterministic.json': 1,
}

describe('verify', () => {
  it.each(verifications)('prints %s for people, the verdict first, and ends with its exit code', async (name) => {
    const report = VerificationReport.parse(JSON.parse(golden(name)))
    const { exit, stdout, stderr } = await ran(['verify', '--claim', claim, 'dir'], { verify: () => Promise.resolve(report) })
    await expect(stdout).toMatchFileSnapshot(page(name))
    expect(stdout.startsWith(report.verdict ?? 'cancelled')).toBe(true)
    expect([exit, stderr]).toEqual([EXITS[name], ''])
  })

  it.each(verifications)('prints %s with --json as exactly the document', async (name) => {
    const { exit, stdout } = await ran(['verify', '--json', '--claim', claim, 'dir'], {
      verify: () => Promise.resolve(VerificationReport.parse(JSON.parse(golden(name)))),
    })
    expect([exit, stdout]).toEqual([EXITS[name], golden(name)])
  })

  it('says of a mismatch that the claimed bytes would tell more, unless they were given', async () => {
    const verify = () => Promise.resolve(VerificationReport.parse(JSON.parse(golden('verification-mismatch.json'))))
    const advice = 'a claim is on the uncompressed file; with --claimed'
    expect((await ran(['verify', '--claim', claim, 'dir'], { verify })).stdout).toContain(advice)
    expect((await ran(['verify', '--claim', claim, '--claimed', 'c.tar', 'dir'], { verify })).stdout).not.toContain(advice)
    const reproduced = () => Promise.resolve(VerificationReport.parse(JSON.parse(golden('verification-reproduced.json'))))
    expect((await ran(['verify', '--claim', claim, 'dir'], { verify: reproduced })).stdout).not.toContain(advice)
  })

  it('names the setting for an archive of which no mirror is known', async () => {
    const report = CheckReport.parse(JSON.parse(golden('check-repeatable.json')))
    const reasons = [{ code: 'input-unavailable', message: 'no mirror is known for this archive' }]
    const check = () => Promise.resolve({ ...report, verdict: 'undecided' as const, reasons })
    expect((await ran(['check', 'dir'], { check })).stdout).toContain('BITWITNESS_SNAPSHOT_MIRROR')
  })

  it('takes as little of a digest of a builder as builder show', async () => {
    const seen: string[] = []
    const check = (command: { builder: string | null }) => {
      seen.push(String(command.builder))
      return Promise.resolve(CheckReport.parse(JSON.parse(golden('check-repeatable.json'))))
    }
    for (const builder of ['1d340699c253', 'sha256:1d340699c2530']) await ran(['check', '--builder', builder, 'dir'], { check })
    expect(seen).toEqual(['1d340699c253', '1d340699c2530'])
    for (const builder of ['1d340699c25', '1D340699C253', 'sha256:', 'newest'])
      expect(await ran(['check', '--builder', builder, 'dir'])).toMatchObject({ exit: 2, opened: 0 })
  })

  it('says of one attempt not that it agrees with another', async () => {
    const report = VerificationReport.parse(JSON.parse(golden('verification-mismatch.json')))
    const one = { ...report, attempts: report.attempts.slice(0, 1) }
    const { stdout } = await ran(['verify', '--claim', claim, 'dir'], { verify: () => Promise.resolve(one) })
    expect(stdout.split('\n')[1]).toBe('  the attempt built something else than what is claimed')
  })

  it('writes the document with --report, or says that it could not', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-report-'))
    const verify = () => Promise.resolve(VerificationReport.parse(JSON.parse(golden('verification-mismatch.json'))))
    const written = await ran(['verify', '--claim', claim, '--report', path.join(folder, 'r.json'), 'dir'], { verify })
    expect([written.exit, await readFile(path.join(folder, 'r.json'), 'utf8')]).toEqual([1, golden('verification-mismatch.json')])
    // A folder that goes while the build runs: the answer is there, and the one document on stdout.
    const gone = path.join(folder, 'gone')
    await mkdir(gone)
    const late = () => rm(gone, { recursive: true }).then(verify)
    const failed = await ran(['verify', '--json', '--claim', claim, '--report', path.join(gone, 'r.json'), 'dir'], { verify: late })
    expect([failed.exit, failed.stdout]).toEqual([3, golden('verification-mismatch.json')])
    expect(failed.stderr).toContain('report-not-written')
    expect(await readdir(folder)).toEqual(['r.json'])
    await rm(folder, { recursive: true })
  })

  it.each([
    ['a folder that is not there', 'absent/r.json'],
    ['a folder', '.'],
    ['what is below a file', 'verify-and-check.test.ts/r.json'],
  ])('is asked for a report in %s and ends with 2 before anything is opened', async (_, report) => {
    const file = path.join(import.meta.dirname, report)
    for (const args of [
      ['verify', '--claim', claim, 'dir'],
      ['verify', '--from', 'proof'],
      ['check', 'dir'],
      ['build', '-o', '/absent', 'dir'],
    ]) {
      const { exit, stdout, opened } = await ran([...args, '--json', '--report', file])
      expect([exit, JSON.parse(stdout), opened]).toMatchObject([2, { code: 'report-unwritable' }, 0])
    }
  })

  it('hands on what the command line says', async () => {
    let seen: VerifyCommand | undefined
    const flags = [
      '--attempts',
      '3',
      '--lock',
      'l.json',
      '--inputs',
      'i.tar',
      '--builder',
      claim,
      '--snapshot',
      '20241201T000000Z',
      '--claimed',
      'c.tar',
    ]
    await ran(['verify', ...flags, '--claim', claim, '--claim', `oci-manifest=${claim}`, '--', '--odd-folder'], {
      verify: (command) => {
        seen = command
        return Promise.reject(new Failure({ code: 'x', message: 'x', hint: 'x' }))
      },
    })
    expect(seen).toMatchObject({
      source: '--odd-folder',
      attempts: 3,
      lock: 'l.json',
      inputs: 'i.tar',
      builder: 'ab'.repeat(32),
      snapshot: '20241201T000000Z',
      claimed: 'c.tar',
      claims: [
        { kind: 'file', sha256: 'ab'.repeat(32) },
        { kind: 'oci-manifest', sha256: 'ab'.repeat(32) },
      ],
    })
  })

  it('shows how the log of the first failed attempt ends, and names all of it', async () => {
    const report = VerificationReport.parse(JSON.parse(golden('verification-build-failed.json')))
    const verify = ({ emit }: VerifyCommand) => {
      const tell = (body: EventBody, attempt = 1): void => emit({ ...body, attempt, seq: 1, at: '' } as AttemptEvent)
      for (let line = 1; line <= 30; line += 1) tell({ kind: 'log', line: `line ${line}` })
      tell({ kind: 'log', line: 'E: Unable to locate package \u001b[2Jx' })
      tell({ kind: 'log', line: 'y'.repeat(4096) })
      tell({ kind: 'log', line: 'of another attempt' }, 2)
      return Promise.resolve(report)
    }
    const { stdout } = await ran(['verify', '--claim', claim, 'dir'], { verify })
    const section = stdout.slice(stdout.indexOf('end of the log'), stdout.indexOf('\n\nfindings'))
    expect(section.split('\n')).toEqual([
      'end of the log of attempt 1',
      ...Array.from({ length: 18 }, (_, index) => `  line ${index + 13}`),
      '  E: Unable to locate package \\u{1b}[2Jx',
      `  ${'y'.repeat(299)}…`,
      '  all of it: bitwitness blob sha256:c46928bc87de23b9a8bd235aa1fe67ccb1542c8389ad3f02bf4ab5cff506e98f',
    ])
    const good = VerificationReport.parse(JSON.parse(golden('verification-mismatch.json')))
    const built = await ran(['verify', '--claim', claim, 'dir'], { verify: (o) => verify(o).then(() => good) })
    expect(built.stdout).not.toContain('log of attempt')
  })

  it('shows no control character of a report, whatever it holds', async () => {
    const report = VerificationReport.parse(JSON.parse(golden('verification-mismatch.json')))
    const evil = '\u001b]0;owned\u0007\u202e\r\n'
    const finding = { rule: 'r', severity: 'warn' as const, path: evil, line: 1, message: evil, evidence: [evil], remedy: evil }
    const dirty = {
      ...report,
      reasons: [{ code: 'c', message: evil }],
      findings: [finding],
      recipeFindings: [finding],
      explanation: { state: 'skip' as const, reason: evil, documents: [] },
    }
    const { stdout } = await ran(['verify', '--claim', claim, 'dir'], { verify: () => Promise.resolve(dirty) })
    expect(stdout).toContain('\\u{1b}]0;owned')
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })
})

describe('check', () => {
  it.each(checks)('prints %s for people and with --json', async (name) => {
    const report = CheckReport.parse(JSON.parse(golden(name)))
    const people = await ran(['check', 'dir'], { check: () => Promise.resolve(report) })
    await expect(people.stdout).toMatchFileSnapshot(page(name))
    const machine = await ran(['check', 'dir', '--json'], { check: () => Promise.resolve(report) })
    expect([people.exit, machine.exit, machine.stdout]).toEqual([EXITS[name], EXITS[name], golden(name)])
  })
})

describe('what stops us', () => {
  const failing = (error: unknown): { verify: () => Promise<never> } => ({ verify: () => Promise.reject(error as Error) })
  const failure = new Failure({
    code: 'engine-unreachable',
    message: 'the engine does not answer',
    hint: 'start it',
    cause: new Error('secret cause'),
  })

  it('is said with code and hint on stderr, and leaves stdout empty', async () => {
    expect(await ran(['verify', '--claim', claim, 'dir'], failing(failure))).toMatchObject({
      exit: 3,
      stdout: '',
      stderr: 'bitwitness: the engine does not answer (engine-unreachable)\n  start it\n',
    })
  })

  it('is one document on stdout with --json', async () => {
    const { exit, stdout } = await ran(['verify', '--claim', claim, 'dir', '--json'], failing(failure))
    expect(exit).toBe(3)
    expect(JSON.parse(stdout)).toEqual({
      schema: 'bitwitness/error/v1',
      verdict: null,
      code: 'engine-unreachable',
      message: 'the engine does not answer',
      hint: 'start it',
    })
  })

  it('never repeats the text of an error that is not ours', async () => {
    const { exit, stdout, stderr } = await ran(['verify', '--claim', claim, 'dir', '--json'], failing(new TypeError('token=hunter2')))
    expect(exit).toBe(3)
    expect(stdout + stderr).not.toContain('hunter2')
    expect(JSON.parse(stdout)).toMatchObject({ code: 'internal' })
  })

  it('shows the text of such an error where it was asked for, on stderr only and with nothing that moves a terminal', async () => {
    const { stdout, stderr } = await ran(['verify', '--claim', claim, 'dir', '--json'], failing(new TypeError('why\u001b[2J')), {
      debug: true,
    })
    expect(stderr).toContain('TypeError: why')
    expect(stdout + stderr).not.toContain('\u001b')
    expect(JSON.parse(stdout)).toMatchObject({ code: 'internal' })
  })

  it('is what failed first, where cleaning up failed as well', async () => {
    const both = new SuppressedError(new Error('cleaning up'), failure)
    const { exit, stdout } = await ran(['verify', '--claim', claim, 'dir', '--json'], failing(both))
    expect([exit, JSON.parse(stdout).code]).toEqual([3, 'engine-unreachable'])
    const interrupted = new SuppressedError(failure, new DOMException('stop', 'AbortError'))
    expect((await ran(['verify', '--claim', claim, 'dir'], failing(interrupted))).exit).toBe(130)
  })

  it('is an interruption when the caller interrupted', async () => {
    const { exit, stdout } = await ran(['verify', '--claim', claim, 'dir', '--json'], failing(new DOMException('stop', 'AbortError')))
    expect([exit, JSON.parse(stdout).code]).toEqual([130, 'cancelled'])
  })

  it.each(['ENOSPC', 'EDQUOT'])('is a full disk where the system says %s, not a defect', async (code) => {
    const full = Object.assign(new Error(`${code}: write '/secret'`), { code })
    const { exit, stdout, stderr } = await ran(['verify', '--claim', claim, 'dir', '--json'], failing(full))
    expect([exit, JSON.parse(stdout).code]).toEqual([3, 'disk-full'])
    expect(stdout + stderr).not.toContain('secret')
  })

  it('counts as unknown when the report does not fit its own schema', async () => {
    const broken = {
      ...VerificationReport.parse(JSON.parse(golden('verification-reproduced.json'))),
      verdict: 'fine',
    } as unknown as VerificationReport
    const { exit, stdout } = await ran(['verify', '--claim', claim, 'dir', '--json'], { verify: () => Promise.resolve(broken) })
    expect([exit, JSON.parse(stdout).code]).toEqual([3, 'internal'])
  })
})

it.each(['source-protocol', 'source-host-private', 'download-plain-http', 'download-host-private'])(
  'names the setting that allows what %s refuses',
  async (code) => {
    const check = () => Promise.reject(new Failure({ code, message: 'm', hint: 'h' }))
    const { stderr } = await ran(['check', 'dir'], { check })
    expect(stderr).toContain('h; BITWITNESS_SOURCES_ALLOW=')
  },
)
