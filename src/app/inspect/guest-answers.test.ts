import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readGuestAttestation, readGuestInfo } from './guest-answers.ts'

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const TCB = { mrtd: '', app_compose: '{"a": "é"}', os_image_hash: 'd'.repeat(64) }
const INFO = {
  app_id: 'AB'.repeat(20),
  instance_id: '',
  app_name: 'app',
  tcb_info: JSON.stringify(TCB),
  vm_config: JSON.stringify({ mr_config: '{"version":3}' }),
  compose_hash: 'c'.repeat(64),
}
const EVENT = { imr: 3, event_type: 134_217_729, digest: '', event: 'system-ready', event_payload: '' }

describe('what a guest agent says of itself', () => {
  it('is read with the exact bytes of its app-compose', () => {
    expect(readGuestInfo(bytes({ ...INFO, later: {} }))).toEqual({
      appId: 'ab'.repeat(20),
      instanceId: null,
      name: 'app',
      composeHash: 'c'.repeat(64),
      osImageHash: 'd'.repeat(64),
      appCompose: Buffer.from('{"a": "é"}'),
      mrConfig: '{"version":3}',
    })
  })

  it('can hide what it runs', () => {
    expect(readGuestInfo(bytes({ ...INFO, tcb_info: '', vm_config: '' }))).toMatchObject({
      appCompose: null,
      osImageHash: null,
      mrConfig: null,
    })
  })

  it.each([
    ['an id of another length', { app_id: 'ab'.repeat(19) }],
    ['a number for an id', { app_id: 1 }],
    ['a hash of 31 bytes', { compose_hash: 'c'.repeat(62) }],
    ['inner JSON that is none', { tcb_info: '{' }],
    ['inner JSON without app-compose', { tcb_info: '{}' }],
    ['inner JSON that says it twice', { tcb_info: '{"app_compose":"a","app_compose":"b"}' }],
    ['inner JSON without end', { tcb_info: '['.repeat(100) }],
  ])('is nothing with %s', (_, change) => {
    expect(readGuestInfo(bytes({ ...INFO, ...change }))).toBeUndefined()
  })
})

describe('a quote with its log', () => {
  it('is read as an agent answers it', () => {
    const answer = readGuestAttestation(bytes({ quote: '00ff', event_log: JSON.stringify([EVENT]), report_data: '', vm_config: '' }))
    expect(answer).toMatchObject({ quote: Buffer.from('00ff', 'hex'), log: [{ name: 'system-ready' }] })
    expect(readGuestAttestation(bytes({ quote: '', event_log: '', attestation: '00' }))).toEqual({ quote: null, log: [] })
  })

  it.each([
    ['half a byte', { quote: '0' }],
    ['no hex', { quote: 'xx' }],
    ['more than any quote', { quote: '00'.repeat(64 * 1024 + 1) }],
    ['a log that is none', { event_log: '{}' }],
    ['an event that is none', { event_log: '[{}]' }],
    ['no log', { event_log: undefined }],
  ])('is nothing with %s', (_, change) => {
    expect(readGuestAttestation(bytes({ quote: '00', event_log: '[]', ...change }))).toBeUndefined()
  })
})

it('is read from anything without a throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => Buffer.from(text)),
      ),
      (body) => {
        expect([readGuestInfo(body), readGuestAttestation(body)]).toEqual([undefined, undefined])
      },
    ),
  )
})
