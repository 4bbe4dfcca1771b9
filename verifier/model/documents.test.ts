import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeDocument } from './document.ts'
import { AttemptEvent } from './event.ts'
import { encodeLock, InputLock } from './lock.ts'
import { CheckReport, VerificationReport } from './report.ts'
import { decodeEntry, encodeEntry, TREE_MANIFEST_HEADER } from './tree-manifest.ts'
import { decideCheck, decideVerification } from './verdict.ts'

const folder = path.join(import.meta.dirname, 'testdata')
const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8')
const named = (prefix: string): string[] => readdirSync(folder).filter((name) => name.startsWith(prefix))

describe('the documents of version 1', () => {
  it.each(named('verification-'))('%s is read and written again to the same bytes', (name) => {
    expect(encodeDocument(VerificationReport, JSON.parse(read(name)))).toBe(read(name))
  })

  it.each(named('check-'))('%s is read and written again to the same bytes', (name) => {
    expect(encodeDocument(CheckReport, JSON.parse(read(name)))).toBe(read(name))
  })

  it('the input lock is read and written again to the same bytes', () => {
    expect(encodeLock(InputLock.parse(JSON.parse(read('input-lock.json'))))).toBe(read('input-lock.json'))
  })

  it('the tree manifest is read and written again to the same bytes', () => {
    const [header, ...lines] = read('tree-manifest.txt').trimEnd().split('\n')
    expect(header).toBe(TREE_MANIFEST_HEADER)
    expect(lines.length).toBeGreaterThan(5)
    expect(lines.map((line) => encodeEntry(decodeEntry(line)))).toEqual(lines)
  })

  it('the events are read and written again to the same bytes', () => {
    const lines = read('events.jsonl').trimEnd().split('\n')
    expect(lines.map((line) => JSON.stringify(AttemptEvent.parse(JSON.parse(line))))).toEqual(lines)
    expect(new Set(lines.map((line) => JSON.parse(line).kind)).size).toBe(5)
  })

  it('puts schema and verdict first, whatever the order was', () => {
    const shuffled = Object.fromEntries(Object.entries(JSON.parse(read('verification-reproduced.json'))).toReversed())
    expect(encodeDocument(VerificationReport, shuffled as VerificationReport)).toBe(read('verification-reproduced.json'))
    expect(Object.keys(JSON.parse(read('verification-reproduced.json'))).slice(0, 2)).toEqual(['schema', 'verdict'])
  })

  it.each([...named('verification-'), ...named('check-')])('%s says what its evidence decides', (name) => {
    const document = JSON.parse(read(name))
    const decision = name.startsWith('check-') ? decideCheck(document) : decideVerification(document)
    expect([decision.verdict, decision.reasons]).toEqual([document.verdict, document.reasons])
  })
})

describe('what does not fit is refused', () => {
  const report = (): Record<string, unknown> => JSON.parse(read('verification-reproduced.json'))

  it.each([
    ['an unknown key', { extra: true }],
    ['another schema', { schema: 'bitwitness/verification-report/v2' }],
    ['an unknown verdict', { verdict: 'fine' }],
    ['no claims', { claims: [] }],
    ['a digest in capitals', { lock: 'AB'.repeat(32) }],
    ['a digest with its prefix', { lock: `sha256:${'ab'.repeat(32)}` }],
    ['a missing list', { attempts: undefined }],
  ])('%s in a report', (_, change) => {
    expect(VerificationReport.safeParse(report()).success).toBe(true)
    expect(VerificationReport.safeParse({ ...report(), ...change }).success).toBe(false)
  })

  it.each([
    '/etc/passwd',
    '../x',
    'a/../b',
    'a//b',
    './a',
    'a/',
    '',
    'a?b',
    'a b',
    'a#b',
    'a\\b',
    'http://host/a',
    'a\n',
    'é',
    'x'.repeat(1025),
  ])('the path %j in a lock', (archivePath) => {
    const lock = (value: string): unknown => ({
      schema: 'bitwitness/input-lock/v1',
      architecture: 'amd64',
      snapshot: null,
      inputs: [],
      absent: [{ archive: 'debian', path: value }],
    })
    expect(InputLock.safeParse(lock('dists/bookworm/InRelease')).success).toBe(true)
    expect(InputLock.safeParse(lock(archivePath)).success).toBe(false)
  })
})

describe('encodeLock', () => {
  it('gives the same bytes for the same inputs in any order', () => {
    const lock = InputLock.parse(JSON.parse(read('input-lock.json')))
    expect(encodeLock({ ...lock, inputs: lock.inputs.toReversed(), absent: lock.absent.toReversed() })).toBe(read('input-lock.json'))
  })
})
