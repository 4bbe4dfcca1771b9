import { expect, it } from 'vitest'
import { readBootEvents } from './boot-events.ts'
import { type LoggedEvent, RUNTIME_EVENT } from './event-log.ts'

const event = (name: string, payload: Buffer | string = '', imr = 3): LoggedEvent => ({
  imr,
  type: RUNTIME_EVENT,
  name,
  payload: Buffer.from(payload),
  digest: Buffer.alloc(0),
  version: 1,
})
const APP = event('app-id', Buffer.alloc(20, 1))
const COMPOSE = event('compose-hash', Buffer.alloc(32, 2))
const INSTANCE = event('instance-id', Buffer.alloc(20, 3))
const DONE = event('boot-mr-done')
const READY = event('system-ready')
const LOG = [event('system-preparing'), APP, COMPOSE, INSTANCE, DONE, event('key-provider', '{"name":"kms","id":""}'), READY]

it('says what the guest measured of itself', () => {
  expect(readBootEvents(LOG)).toEqual({
    appId: '01'.repeat(20),
    composeHash: '02'.repeat(32),
    instanceId: '03'.repeat(20),
    keyProvider: '{"name":"kms","id":""}',
    osImageHash: null,
    events: 5,
  })
})

it('takes other versions of the guest, and what an app measures afterwards', () => {
  const older = [event('system-preparing'), event('rootfs-hash', 'x'), APP, COMPOSE, event('instance-id'), DONE, READY]
  expect(
    readBootEvents([event('', 'firmware', 0), ...older, event('boot-mr-done', 'of an app'), event('mine'), event('mine')]),
  ).toMatchObject({
    instanceId: null,
    keyProvider: null,
    events: 6,
  })
  expect(readBootEvents([APP, COMPOSE, DONE, event('os-image-hash', Buffer.alloc(32, 4)), READY])).toMatchObject({
    osImageHash: '04'.repeat(32),
  })
})

it.each([
  ['a second app-compose before the guest is ready', [APP, COMPOSE, COMPOSE, DONE, READY], 'compose-hash stands twice'],
  ['a second app-compose of an app’s own', [...LOG, COMPOSE], 'compose-hash stands twice'],
  ['a second id of an app', [...LOG, APP], 'app-id stands twice'],
  ['an app-compose after the guest is ready alone', [APP, DONE, READY, COMPOSE], 'compose-hash is missing'],
  ['no end of its boot', LOG.slice(0, -1), 'system-ready is missing'],
  ['no measurement', [], 'app-id is missing'],
  ['another order', [COMPOSE, APP, DONE, READY], 'in another order'],
  ['its end twice', [APP, COMPOSE, DONE, DONE, READY], 'in another order'],
  ['what it measures after its end', [APP, DONE, COMPOSE, READY], 'in another order'],
  ['an id of 19 bytes', [event('app-id', Buffer.alloc(19)), COMPOSE, DONE, READY], 'no id of an app'],
  ['a hash of 31 bytes', [APP, event('compose-hash', Buffer.alloc(31)), DONE, READY], 'no sha256'],
  ['an instance of 21 bytes', [APP, COMPOSE, event('instance-id', Buffer.alloc(21)), DONE, READY], 'no id'],
  ['an image of 31 bytes', [APP, COMPOSE, DONE, event('os-image-hash', Buffer.alloc(31)), READY], 'no sha256'],
  ['its events in the firmware’s registers', LOG.map((one) => ({ ...one, imr: 2 })), 'app-id is missing'],
])('takes no log with %s', (_, log, why) => {
  expect(readBootEvents(log)).toEqual(expect.stringContaining(why))
})
