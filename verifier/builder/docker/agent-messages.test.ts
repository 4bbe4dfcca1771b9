import { describe, expect, it } from 'vitest'
import { parseEvent, parseResult } from './agent-messages.ts'

const bytes = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const RESULT = { exit: 1, full: false, cpuMs: 12.5, peakMemoryBytes: 1024, oomKills: 0, forksDenied: 0 }
const OUTPUT = { kind: 'output', index: 0, name: 'image.tar', type: 'file', size: 1e20 }

describe('what an agent says', () => {
  it('is read where it has the form of a result or an event', () => {
    expect(parseResult(bytes(RESULT))).toEqual(RESULT)
    expect(parseResult(bytes({ ...RESULT, exit: null }))).toEqual({ ...RESULT, exit: null })
    expect(parseEvent(bytes({ kind: 'build' }))).toEqual({ kind: 'build' })
    expect(parseEvent(bytes({ kind: 'collect', summary: { Images: [] } }))).toEqual({ kind: 'collect', summary: { Images: [] } })
    expect(parseEvent(bytes(OUTPUT))).toEqual(OUTPUT)
  })

  it.each<[string, unknown]>([
    ['no JSON', '{"exit":'],
    ['no object', '[]'],
    ['null', 'null'],
    ['a count below zero', { ...RESULT, oomKills: -1 }],
    ['half an exit code', { ...RESULT, exit: 0.5 }],
    ['a missing field', { exit: 0 }],
    ['bytes that are no text', '\u0000\uffff'],
  ])('is no result: %s', (_, value) => {
    expect(parseResult(bytes(value))).toBeUndefined()
  })

  it.each<[string, unknown]>([
    ['no JSON', 'build'],
    ['an unknown kind', { kind: 'result' }],
    ['an output without end', { ...OUTPUT, index: 65 }],
    ['an output of no type', { ...OUTPUT, type: 'socket' }],
    ['a name longer than any', { ...OUTPUT, name: 'x'.repeat(1025) }],
  ])('is no event: %s', (_, value) => {
    expect(parseEvent(bytes(value))).toBeUndefined()
  })
})
