import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { ReadyBuilder } from '../src/app/ports.ts'
import { readSettings, type Settings } from '../src/config/settings.ts'
import { Context } from '../src/context.ts'
import { EngineRoom } from '../src/engine/engine-room.ts'
import { processIdentity } from '../src/storage/process-identity.ts'

const root = path.join(import.meta.dirname, '..')

/** One home for all tests that build for real, so that the builder image is made once. */
export async function sharedSettings(changes: Partial<Settings> = {}): Promise<Settings> {
  const home = process.env['BITWITNESS_TEST_HOME'] ?? path.join(root, '.tools', 'test-home')
  await mkdir(home, { recursive: true, mode: 0o700 })
  const dockerHost = process.env['DOCKER_HOST']
  return { ...readSettings(dockerHost === undefined ? {} : { DOCKER_HOST: dockerHost }), home, ...changes }
}

export type { Settings }

export type TestRoom = { readonly room: EngineRoom; readonly builder: ReadyBuilder }

/** The engine with limits of a test's own, and the builder of today's definition, made where it is missing. */
export async function testRoom(changes: Partial<Settings> = {}): Promise<TestRoom> {
  const settings = await sharedSettings(changes)
  await using context = await Context.open(settings)
  const { room, builder } = await context.ready(() => {}, new AbortController().signal)
  return { room, builder }
}

/** Takes every owner but this process for alive: what is left over is then what this process left. */
export function ownedByAnother(owner: string): boolean {
  return owner !== processIdentity()
}
