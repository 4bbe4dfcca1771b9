import { describe, expect, it } from 'vitest'
import { type AttemptEvent, type EventBody } from '../../verifier/model/event.ts'
import type { CliIo } from './cli-context.ts'
import { seconds, showProgress } from './progress.ts'

function watched(change: Partial<CliIo>, verbose = false) {
  let [written, now] = ['', 0]
  const io = {
    stderr: { write: (text: string) => void (written += text) },
    interactive: false,
    columns: 40,
    clock: () => now,
    ...change,
  } as CliIo
  const progress = showProgress(io, { verbose })
  const emit = (body: EventBody, attempt = 1): void =>
    progress.emit({ ...body, attempt, seq: 1, at: '2026-11-24T10:00:00.000Z' } as AttemptEvent)
  return { emit, close: progress.close, pass: (ms: number) => void (now += ms), written: () => written }
}

describe('elsewhere than on a terminal', () => {
  it('writes a line when a stage starts and when it ends, with no control character', () => {
    const { emit, close, written } = watched({})
    emit({ kind: 'stage-started', stage: 'pin' }, 0)
    emit({ kind: 'stage-ended', stage: 'pin', ms: 400 }, 0)
    emit({ kind: 'stage-started', stage: 'collect' })
    emit({ kind: 'bytes', stage: 'collect', done: 2 ** 20, total: 2 ** 21 })
    emit({ kind: 'log', line: 'not asked for' })
    emit({ kind: 'stage-ended', stage: 'collect', ms: 61_000 })
    close()
    expect(written()).toBe('pin …\npin took 0.4 s\nattempt 1: collect …\nattempt 1: collect took 1 min 1 s, 1 MiB of 2 MiB\n')
  })

  it('writes the log where it was asked for, with escapes made visible', () => {
    const { emit, written } = watched({}, true)
    emit({ kind: 'log', line: 'a\u001b[2Jb\u202e' })
    expect(written()).toBe('attempt 1: a\\u{1b}[2Jb\\u{202e}\n')
  })
})

describe('on a terminal', () => {
  it('writes one line again and again, never wider than the terminal', () => {
    const { emit, close, pass, written } = watched({ interactive: true })
    emit({ kind: 'stage-started', stage: 'build' })
    pass(65_000)
    emit({ kind: 'bytes', stage: 'build', done: 1536, total: null })
    emit({ kind: 'log', line: `Unpacking ${'x'.repeat(200)}` })
    const lines = written().split('\r\u001b[2K')
    expect(lines.at(-2)).toBe('attempt 1: build 1:05, 1.5 KiB')
    expect(lines.at(-1)).toMatch(/^attempt 1: build 1:05, 1\.5 KiB {2}Unp.*…$/)
    for (const line of lines) expect(line.length).toBeLessThan(40)
    expect(written()).not.toContain('\n')
    close()
  })

  it('leaves a line behind for each stage that ended, and an empty one at the close', () => {
    const { emit, close, written } = watched({ interactive: true })
    emit({ kind: 'stage-started', stage: 'build' })
    emit({ kind: 'stage-ended', stage: 'build', ms: 12_345 })
    close()
    expect(written().endsWith('\r\u001b[2Kattempt 1: build took 12 s\n\r\u001b[2K')).toBe(true)
  })
})

it.each([
  [0, '0.0 s'],
  [9_949, '9.9 s'],
  [9_950, '10 s'],
  [59_499, '59 s'],
  [59_500, '1 min 0 s'],
  [3_725_000, '62 min 5 s'],
])('%d ms is %s', (ms, text) => {
  expect(seconds(ms)).toBe(text)
})
