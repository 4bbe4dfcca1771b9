import { describe, expect, it } from 'vitest'
import { readProtocol } from './protocol-document.ts'
import { Heartbeat } from './worker-protocol.ts'

const BEAT = { schema: 'bitwitness/worker-heartbeat/v1', lease: '019c0000-0000-7000-8000-000000000000' }

function codeOf(text: string): unknown {
  try {
    readProtocol(Heartbeat, Buffer.from(text))
    return 'taken'
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

describe('a document that a worker sends', () => {
  it('is taken as the protocol has it', () => {
    expect(readProtocol(Heartbeat, Buffer.from(JSON.stringify(BEAT)))).toEqual(BEAT)
  })

  it.each([
    ['older', JSON.stringify({ ...BEAT, schema: 'bitwitness/worker-heartbeat/v0' }), 'worker-outdated'],
    ['newer', JSON.stringify({ ...BEAT, schema: 'bitwitness/worker-heartbeat/v2', more: 1 }), 'worker-outdated'],
    ['another document', JSON.stringify({ ...BEAT, schema: 'bitwitness/worker-events/v1' }), 'worker-message-malformed'],
    ['of a kind that there is not', JSON.stringify({ ...BEAT, schema: 'bitwitness/worker-heartbeat/vX' }), 'worker-message-malformed'],
    ['with more in it than there is', JSON.stringify({ ...BEAT, claims: [] }), 'worker-message-malformed'],
    ['no object', 'null', 'worker-message-malformed'],
    ['no JSON', '{', 'json-malformed'],
    ['said twice', `{"schema":"${BEAT.schema}","lease":"${BEAT.lease}","lease":"${BEAT.lease}"}`, 'json-duplicate-key'],
    ['nested without end', '['.repeat(40) + ']'.repeat(40), 'json-too-deep'],
    ['too large', ' '.repeat((8 << 20) + 1), 'json-too-large'],
  ])('is refused where it is %s', (_, text, code) => {
    expect(codeOf(text)).toBe(code)
  })
})
